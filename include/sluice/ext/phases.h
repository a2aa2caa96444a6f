/*
 * sluice.phases/1 (host) and sluice.phase-handler/1 (plugin): a part in the way of every request.
 *
 * A request goes through the phases identify, authorize, limit, handle, respond, observe. A manifest that asks for
 * sluice.phases/1 and is granted it may declare under `phases` a handler for each of four of them, and the order by
 * `before` and `after`. It is called for every request of its tenant that has found a route, whichever plugin's route it is, a
 * WebSocket's handshake included; `routes` in the manifest narrows that. The other two have their own ways: *identify* is
 * what a provider of sluice.authenticator/1 does, *handle* is the handler of the route.
 *
 *   authorize  after the host has checked credential and scopes. May refuse, answer, or wait.
 *   limit      after the host has counted the request against the tenant's rate, before the body is read. May refuse,
 *              answer, or wait.
 *   respond    when status and fields are about to be sent, for refusals of the host and of others too. May add
 *              fields. Synchronous.
 *   observe    when the request has ended, however it did. Synchronous.
 *
 * What sluice.http/1 reads of a request may be read in all four, but not the body: before `handle` it has not come.
 * In authorize and limit a handler may add fields with `set_header`, and answer with `respond` or `problem`; an
 * answer in pieces is the route's alone. In respond it may add fields. Any other call there is
 * SLUICE_E_WRONG_STATE.
 *
 * A token is lent to one handler at a time: it is good until the handler returns, or, after SLUICE_PENDING, until
 * `proceed` or an answer. Another handler, and the route's, know the same request by another token; its request_id
 * stays. What a plugin does that is called here must be short: it is paid on every request.
 */
#ifndef SLUICE_EXT_PHASES_H
#define SLUICE_EXT_PHASES_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_PHASES "sluice.phases/1"
#define SLUICE_EXT_PHASE_HANDLER "sluice.phase-handler/1"

/* The phases that a plugin may have a part in; the numbers between belong to the others. */
#define SLUICE_PHASE_AUTHORIZE 2u
#define SLUICE_PHASE_LIMIT 3u
#define SLUICE_PHASE_RESPOND 5u
#define SLUICE_PHASE_OBSERVE 6u

typedef struct sluice_phases_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Lets a request go on that the calling plugin's handler has answered SLUICE_PENDING for; what comes next runs
     * after the plugin has returned. Ends the token. May also come before the handler has returned. Off the loop's
     * thread it is carried over, and SLUICE_OK only says that it is on its way.
     * SLUICE_E_STALE: the request has ended. SLUICE_E_WRONG_STATE: it does not wait for this plugin.
     * [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL proceed)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);

    /* ---- reading: [loop-thread & ACTIVE|DRAINING]. Absent or 0 when there is no such thing or the token is stale. */

    /* The operation of the route, as its manifest calls it. Valid like what sluice.http/1 reads. */
    sluice_slice_t (*SLUICE_NONNULL operation)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* The id of the plugin whose route it is. Valid like `operation`. */
    sluice_slice_t (*SLUICE_NONNULL owner)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* The HTTP status of the answer, in respond and observe; 499 when the peer left before it had one. */
    uint32_t (*SLUICE_NONNULL status)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* Bytes of the answer, its head included, in observe. */
    uint64_t (*SLUICE_NONNULL bytes_sent)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
    /* Nanoseconds since the head of the request was read. */
    uint64_t (*SLUICE_NONNULL duration_ns)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
} sluice_phases_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_phases_v1_t) == 8 + 6 * 8, "phases table layout");

typedef struct sluice_phase_handler_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * The number under which `run` knows the handler that the manifest calls `name` and declares for `phase`, one of
     * SLUICE_PHASE_…. SLUICE_E_NOT_FOUND refuses the plugin at load, naming the place in the manifest.
     * [control-thread & LOADED]
     */
    sluice_status_t (*SLUICE_NONNULL resolve)(sluice_slice_t name, uint32_t phase, uint32_t *SLUICE_NONNULL handler);
    /*
     * A request is in the phase. In authorize and limit:
     *
     *   SLUICE_OK       it goes on, unless the handler has answered it: then it ends here.
     *   SLUICE_PENDING  the host waits for `proceed` or an answer, no longer than limits.request_timeout_ms: then
     *                   the peer gets 504. Slices that were obtained after `keep` stay valid meanwhile.
     *   negative        it is refused with the problem that belongs to the status (status.h).
     *
     * In respond and observe the result is not looked at. Never called from inside a call of the same plugin.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL run)(uint64_t shard, uint32_t handler, sluice_token_t request);
    /* The peer of a request that waits for this plugin is gone, or its time is over; the token is dead. NULL if nobody
     * cares. [loop-thread & ACTIVE|DRAINING] */
    void (*SLUICE_NULLABLE cancelled)(uint64_t shard, uint32_t handler, sluice_token_t request);
} sluice_phase_handler_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_phase_handler_v1_t) == 32, "phase handler table layout");

#ifdef __cplusplus
}
#endif
#endif
