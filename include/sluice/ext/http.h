/*
 * sluice.http/1 (host) and sluice.http-handler/1 (plugin): answering requests.
 *
 * Routes are declared in the manifest, not coded. By the time a handler runs the host has found the tenant, checked
 * the credential against the route's `auth` and `scopes`, applied the limits, read the body up to the route's bound
 * and validated it against the route's schema. A handler then either
 *
 *   answers and returns SLUICE_OK,
 *   returns SLUICE_PENDING and answers later (the host keeps head and body until then), or
 *   returns a negative status, and the host answers with the problem that belongs to it (status.h).
 *
 * A request token is good until the answer is complete or the peer is gone, whichever is first; then every function
 * answers SLUICE_E_STALE, and getters give absent slices. Slices obtained from getters are valid until the handler
 * returns. A pending request's head and body move when its handler returns SLUICE_PENDING, or earlier with `keep`:
 * slices obtained after that stay valid until the token dies.
 */
#ifndef SLUICE_EXT_HTTP_H
#define SLUICE_EXT_HTTP_H

#include "../host.h"
#include "../principal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_HTTP "sluice.http/1"
#define SLUICE_EXT_HTTP_HANDLER "sluice.http-handler/1"

typedef struct sluice_http_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* ---- reading: [loop-thread & ACTIVE|DRAINING]. Absent when there is no such thing or the token is stale. */

    /* "GET", "POST", … as sent. */
    sluice_slice_t (*SLUICE_NONNULL method)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* The path as sent, without the query, not decoded. */
    sluice_slice_t (*SLUICE_NONNULL path)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* What stands in place of the index-th `{…}` of the route's pattern, percent-decoded, valid UTF-8. */
    sluice_slice_t (*SLUICE_NONNULL path_parameter)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                                    sluice_token_t request, uint32_t index);
    /* The first query parameter called `name`, decoded. */
    sluice_slice_t (*SLUICE_NONNULL query)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                           sluice_slice_t name);
    /* The first header field called `name` (any case). The Authorization field is never shown. */
    sluice_slice_t (*SLUICE_NONNULL header)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                            sluice_slice_t name);
    /* The whole body of a route with "body": "buffer"; empty when there is none. */
    sluice_slice_t (*SLUICE_NONNULL body)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* The id that also stands in x-request-id, in the log and in every problem document. */
    sluice_slice_t (*SLUICE_NONNULL request_id)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* The client's address as text, without the port: the peer's of the connection, or what a proxy says that the
     * operator trusts. Fields such as X-Forwarded-For are as the client has sent them: never take an address from there. */
    sluice_slice_t (*SLUICE_NONNULL peer)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* Fills *principal. SLUICE_OK, or SLUICE_E_STALE with *principal made anonymous. */
    sluice_status_t (*SLUICE_NONNULL principal)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                                sluice_principal_v1_t *SLUICE_NONNULL principal);

    /* ---- answering in one piece */

    /*
     * Adds a header field to the answer, before `respond` or `begin`; SLUICE_E_WRONG_STATE after. Content-Length, Transfer-Encoding, Connection,
     * Date and x-request-id are the host's. SLUICE_E_INVALID: not a legal field (RFC 9110 §5), or one of the
     * host's. SLUICE_E_TOO_LARGE: more than 8 KiB of added fields.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL set_header)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                                 sluice_slice_t name, sluice_slice_t value);
    /*
     * The whole answer. `content_type` may be absent when the body is empty. The body is copied. Ends the token.
     * Off the loop's thread the answer is carried over, and SLUICE_OK only says that it is on its way.
     * SLUICE_E_INVALID: status outside 200–599, or a content type that is no legal field value.
     * [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL respond)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                              uint32_t status, sluice_slice_t content_type, sluice_slice_t body);
    /*
     * The whole answer, as a problem document (RFC 9457) with a stable snake_case `code` and a `detail` for people.
     * `errors` is absent or a JSON array of {"pointer","message"}. Ends the token. [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL problem)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                              uint32_t status, sluice_slice_t code, sluice_slice_t detail,
                                              sluice_slice_t errors);

    /* ---- answering in pieces: [loop-thread & ACTIVE|DRAINING] */

    /*
     * Sends status and fields. `length` is the body's length in bytes, or -1: chunked (RFC 9112 §7.1).
     * SLUICE_E_INVALID: as for `respond`, or a status without a body (204, 304), which `respond` gives.
     * An answer of length -1 is one of the tenant's connections until it ends. SLUICE_E_LIMITED: its plan lets no more be
     * open; the host has answered so, and the token is dead.
     */
    sluice_status_t (*SLUICE_NONNULL begin)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                            uint32_t status, sluice_slice_t content_type, int64_t length);
    /*
     * Sends a piece; it is copied. SLUICE_OK: go on. SLUICE_PENDING: taken, but the peer is behind: `completion`
     * comes when there is room, or when the answer has ended; more before that is SLUICE_E_OVERLOADED and is not taken.
     * `completion` is called only after SLUICE_PENDING, with SLUICE_OK, or SLUICE_E_CANCELLED when the peer is gone; its
     * result is absent. SLUICE_E_STALE: the peer is gone, and nothing is taken any more.
     */
    sluice_status_t (*SLUICE_NONNULL write)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                            sluice_slice_t piece, sluice_completion_fn SLUICE_NONNULL completion,
                                            uint64_t context);
    /* Ends the answer and the token. With a fixed length not reached, the connection is closed. */
    sluice_status_t (*SLUICE_NONNULL end)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);

    /* ---- reading the body in pieces, on a route with "body": "stream" */

    /*
     * Asks for the next piece. Always ends through `completion`: SLUICE_OK with the piece, or with an empty present
     * slice at the end of the body; a negative status when the body is malformed, too large or cut off;
     * SLUICE_E_CANCELLED when the request ends before a piece has come. One read at a time. The host stops reading
     * from the peer while nobody asks. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL read)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request,
                                           sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);

    /*
     * Moves head and body to memory of the request's own, for a handler that will return SLUICE_PENDING and holds on
     * to slices: those obtained from now on stay valid until the token dies, those from before are void. Twice is
     * once. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL keep)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);

    /*
     * Why the shard is drained, SLUICE_ENDING_…, so that a plugin can tell those whose answers in pieces it ends
     * whether to come back. Sockets the host closes itself, with 3001 or 3503.
     * [loop-thread & ACTIVE|DRAINING]
     */
    uint32_t (*SLUICE_NONNULL ending)(const sluice_host_v1_t *SLUICE_NONNULL host);
} sluice_http_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_http_v1_t) == 8 + 18 * 8, "http table layout");

/* The shard is not drained. */
#define SLUICE_ENDING_NOT 0u
/* The gateway ends, or another generation takes over: clients come back. */
#define SLUICE_ENDING_RENEWED 1u
/* The plugin is switched off for the tenant, or the tenant is no more: clients stay away. */
#define SLUICE_ENDING_GONE 2u

typedef struct sluice_http_handler_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * The number under which `handle` knows the handler that the manifest calls `name`. SLUICE_E_NOT_FOUND refuses
     * the plugin at load, naming the route. [control-thread & LOADED]
     */
    sluice_status_t (*SLUICE_NONNULL resolve)(sluice_slice_t name, uint32_t *SLUICE_NONNULL handler);
    /* A request. See the top of this file for what may be returned. [loop-thread & ACTIVE|DRAINING] */
    sluice_status_t (*SLUICE_NONNULL handle)(uint64_t shard, uint32_t handler, sluice_token_t request);
    /* The peer of a pending request is gone, or its time is over; the token is dead. NULL if nobody cares.
     * [loop-thread & ACTIVE|DRAINING] */
    void (*SLUICE_NULLABLE cancelled)(uint64_t shard, uint32_t handler, sluice_token_t request);
} sluice_http_handler_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_http_handler_v1_t) == 32, "http handler table layout");

#ifdef __cplusplus
}
#endif
#endif
