/*
 * sluice.services/1 (host) and sluice.service-provider/1 (plugin): plugins asking each other.
 *
 * A service is a name with a major version ("sluice.authenticator/1") and numbered methods that all have one
 * signature: a request slice in, a status and a reply slice out. What the slices hold is stated in
 * services/<name>.h. The host stands in between: it picks the tenant's provider, keeps the deadline, and keeps
 * generations apart, so neither side ever holds a pointer to the other. Manifests declare `provides` and `requires`.
 *
 * [loop-thread & ACTIVE|DRAINING] unless said otherwise.
 */
#ifndef SLUICE_EXT_SERVICES_H
#define SLUICE_EXT_SERVICES_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_SERVICES "sluice.services/1"
#define SLUICE_EXT_SERVICE_PROVIDER "sluice.service-provider/1"

typedef struct sluice_services_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Calls a method of the service that the manifest requires. `key` is absent for a keyless service. The request
     * is copied when the provider does not answer at once. The answer always comes through `completion`.
     * SLUICE_E_NOT_FOUND at once: the tenant has no provider (under that key). SLUICE_E_DENIED: not in `requires`.
     * Through the completion: whatever the provider says, or SLUICE_E_DEADLINE after 10 s.
     */
    sluice_status_t (*SLUICE_NONNULL call)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t service,
                                           sluice_slice_t key, uint32_t method, sluice_slice_t request,
                                           sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* Gives the reply to a call, before or after the provider's function has returned. The reply is copied. A
     * second reply, one after the deadline, and one to a call of somebody else are SLUICE_E_STALE; off the loop's
     * thread the reply is carried over, and SLUICE_OK only says that it is on its way. [any-thread & ACTIVE|DRAINING] */
    sluice_status_t (*SLUICE_NONNULL reply)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t call,
                                            sluice_status_t status, sluice_slice_t reply);
} sluice_services_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_services_v1_t) == 24, "services table layout");

typedef struct sluice_service_provider_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * A call. Gives its reply through sluice.services/1 `reply` and returns SLUICE_OK; or returns SLUICE_PENDING and
     * replies later; or returns a negative status, which is the reply. An unknown method is SLUICE_E_UNSUPPORTED.
     * `service` and `key` are as in the manifest's `provides`.
     */
    sluice_status_t (*SLUICE_NONNULL call)(uint64_t shard, sluice_slice_t service, sluice_slice_t key,
                                           uint32_t method, sluice_slice_t request, sluice_token_t call);
} sluice_service_provider_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_service_provider_v1_t) == 16, "service provider table layout");

#ifdef __cplusplus
}
#endif
#endif
