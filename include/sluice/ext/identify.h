/*
 * sluice.identify/1 (host): who a credential stands for.
 *
 * Requests and sockets come to a plugin with their principal. Who owns sockets that live longer than a credential, or
 * that take a second one for some purpose, asks here: the host calls the tenant's sluice.authenticator/1
 * (services/authenticator.h), which nobody else may call.
 */
#ifndef SLUICE_EXT_IDENTIFY_H
#define SLUICE_EXT_IDENTIFY_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_IDENTIFY "sluice.identify/1"

/* What a credential is shown for. */
#define SLUICE_CREDENTIAL_BEARER 1u       /* to act as somebody, as in `Authorization: Bearer …` */
#define SLUICE_CREDENTIAL_SUBSCRIPTION 2u /* to listen to the one channel that it names among its claims */

typedef struct sluice_identify_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Asks who `credential` stands for in the shard's own tenant, for a purpose of SLUICE_CREDENTIAL_…. The completion's
     * result is the JSON object with which the authenticator replies. SLUICE_E_UNAUTHENTICATED: it is wrong or revoked;
     * SLUICE_E_EXPIRED: it was good once; SLUICE_E_UNAVAILABLE: it cannot be told now. SLUICE_E_INVALID at once: no
     * such purpose, or more than 64 KiB. The credential is copied.
     *
     * `connection` is 0, or a WebSocket of the shard or a request that it has pending: with SLUICE_OK the principal that
     * was found is the connection's from then on, in place of the one that had opened it. SLUICE_E_DENIED, and nothing
     * changes: it is somebody else, or the purpose is not SLUICE_CREDENTIAL_BEARER; SLUICE_E_STALE: the connection is gone.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL identify)(const sluice_host_v1_t *SLUICE_NONNULL host, uint32_t purpose,
                                               sluice_slice_t credential, sluice_token_t connection,
                                               sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * Has every credential that was recognised in the shard's own tenant shown to the authenticator again when it next comes:
     * whoever is refused from now on is refused at once. SLUICE_OK: so it is on every loop. Requests that have been let in
     * and open sockets go on. For authenticators that take back what they have said. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL forget)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                             sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_identify_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_identify_v1_t) == 24, "identify table layout");

#ifdef __cplusplus
}
#endif
#endif
