/*
 * sluice.client/1 (host): requests to others' servers, over HTTP/1.1 and HTTP/2.
 *
 * The host keeps connections and uses them again, checks certificates, follows no redirect, keeps no cookie and uses no proxy.
 * It goes to the internet at large and to the networks that the operator allows: addresses are looked at after the name was
 * resolved, so no name and no spelling leads elsewhere. Fields that frame a message (Host, Content-Length, Connection, …) are
 * its own; no other is added.
 */
#ifndef SLUICE_EXT_CLIENT_H
#define SLUICE_EXT_CLIENT_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_CLIENT "sluice.client/1"

/* A field of a request. */
typedef struct sluice_client_field {
    sluice_slice_t name;
    sluice_slice_t value;
} sluice_client_field_t;

/* A request. All that it leads to is copied before `send` returns. */
typedef struct sluice_client_request {
    uint32_t struct_size;
    uint32_t field_count;
    const sluice_client_field_t *SLUICE_NULLABLE fields; /* NULL when there are none */
    sluice_slice_t method;                               /* "POST" */
    sluice_slice_t url;                                  /* http or https, without user and password */
    sluice_slice_t body;                                 /* absent or empty: without content */
    uint64_t response_limit;                             /* bytes of content that are kept, at most 64 MiB */
    uint32_t timeout_ms;                                 /* for all of it, 1 to 600,000 */
    uint32_t connect_timeout_ms;                         /* of that, until there is a connection; 1 to timeout_ms */
} sluice_client_request_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_client_request_t) == 80, "client request layout");

/* There was more content than `response_limit`; the exchange has been ended there. */
#define SLUICE_CLIENT_TRUNCATED 1u

/*
 * The beginning of the result of an exchange that had an answer, little-endian. Behind it come `fields_length` bytes of
 * fields, a line "name: value\n" for each, names in lower case; then `body_length` bytes of content, as they were sent.
 */
typedef struct sluice_client_response {
    uint32_t status; /* the final answer's: 200 to 599 as a rule */
    uint32_t flags;  /* SLUICE_CLIENT_TRUNCATED */
    uint32_t elapsed_ms;
    uint32_t fields_length;
    uint64_t body_length;
} sluice_client_response_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_client_response_t) == 24, "client response layout");

typedef struct sluice_client_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Makes a request. The answer, whatever its status, comes through `completion` with SLUICE_OK. Without an answer its status
     * is negative and its result says in words what happened:
     *   SLUICE_E_DENIED       the address is out of the gateway's reach
     *   SLUICE_E_UNAVAILABLE  the name is unknown, the server is not reached, is not who it says, or broke off
     *   SLUICE_E_DEADLINE     time ran out
     *   SLUICE_E_TOO_LARGE    the answer's fields take more than 64 KiB
     *   SLUICE_E_INVALID      no such request can be made: the URL, the method or a field
     * A request may have been carried out all the same, but for DENIED and INVALID. SLUICE_E_OVERLOADED at once: too many are
     * under way, of the plugin (`limits.client_requests` of its manifest) or on this loop; SLUICE_E_INVALID at once: a number
     * is out of its range. What is under way when the shard closes is broken off and completed with SLUICE_E_CANCELLED.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL send)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                           const sluice_client_request_t *SLUICE_NONNULL request,
                                           sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_client_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_client_v1_t) == 16, "client table layout");

#ifdef __cplusplus
}
#endif
#endif
