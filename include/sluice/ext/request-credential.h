/*
 * sluice.request-credential/1 (plugin): requests whose credential stands in their query or in their body.
 *
 * Where a browser lets a client set no header fields (EventSource), and where a protocol sends its token as the first
 * thing it says (HTTP streaming), a request has no Authorization field. A route that the manifest declares with
 * "credential": "first-message" may be asked without one: the host then reads the body, up to the route's limit and
 * checked against its schema, asks the plugin what in query and body leads to the app, finds tenant and principal by it
 * and only then calls `handle` of sluice.http-handler/1 on that tenant's shard. A
 * host name or an `?app=` that names another app is refused with 401. A request that shows its credential in the usual
 * place is not asked again.
 *
 * The functions here belong to no tenant and keep nothing: they may run on several loops at once.
 */
#ifndef SLUICE_EXT_REQUEST_CREDENTIAL_H
#define SLUICE_EXT_REQUEST_CREDENTIAL_H

#include "../types.h"
#include "../status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_REQUEST_CREDENTIAL "sluice.request-credential/1"

/* What has been found, by `*found`. */
#define SLUICE_FOUND_NOTHING 0u
/* A credential, of the kinds that an Authorization field has: it leads to the tenant and to the principal. */
#define SLUICE_FOUND_CREDENTIAL 1u
/* The id of an app. The request is that app's and nobody's in particular, which the route's `auth` must allow: the
 * plugin itself checks whatever secret the request has. An app that does not exist is 404. */
#define SLUICE_FOUND_APP 2u

typedef struct sluice_request_credential_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Says what in a request leads to its app: sets `*found`, which is SLUICE_FOUND_NOTHING before, and hands the bytes
     * to `put`, once. `handler` as in sluice.http-handler/1; `query` as sent, without the question mark and not decoded,
     * absent when there is none; `body` whole, empty when there is none. SLUICE_OK with nothing found: the app is found
     * by host name or `?app=`, and the route's `auth` says whether it may be nobody who asks. A negative status refuses
     * the request with the problem that belongs to it (status.h). [loop-thread & LOADED]
     */
    sluice_status_t (*SLUICE_NONNULL credential_of)(uint32_t handler, sluice_slice_t query, sluice_slice_t body,
                                                    uint32_t *SLUICE_NONNULL found, sluice_sink_fn SLUICE_NONNULL put,
                                                    uint64_t sink);
    /*
     * The host refuses the credential that was found: SLUICE_E_UNAUTHENTICATED, SLUICE_E_EXPIRED or SLUICE_E_DENIED.
     * Returns 0 for the problem document that belongs to it; or the status of an answer of the plugin's own, 200 to 599,
     * for clients that read such a thing in the stream they asked for. Its body is what is handed to `put`, its type
     * `*content_type`, at most 256 bytes that live for ever. NULL when there is never such an answer.
     * [loop-thread & LOADED]
     */
    uint32_t (*SLUICE_NULLABLE refusal)(uint32_t handler, sluice_slice_t query, sluice_slice_t body, sluice_status_t why,
                                        sluice_sink_fn SLUICE_NONNULL put, uint64_t sink,
                                        sluice_slice_t *SLUICE_NONNULL content_type);
} sluice_request_credential_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_request_credential_v1_t) == 24, "request credential table layout");

#ifdef __cplusplus
}
#endif
#endif
