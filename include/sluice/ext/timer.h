/*
 * sluice.timer/1 (host): being called later. Timers live with their shard and are not durable.
 *
 * [loop-thread & ACTIVE|DRAINING] throughout.
 */
#ifndef SLUICE_EXT_TIMER_H
#define SLUICE_EXT_TIMER_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_TIMER "sluice.timer/1"

typedef struct sluice_timer_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Calls `function(context, SLUICE_OK, absent)` once, not before `delay_ms` milliseconds have passed, and with
     * `repeat_ms` > 0 again and again at that distance. Returns the timer's token; 0 when the shard has more than
     * 65,536. When the shard closes, timers end without a call.
     */
    sluice_token_t (*SLUICE_NONNULL start)(const sluice_host_v1_t *SLUICE_NONNULL host, uint64_t delay_ms,
                                           uint64_t repeat_ms, sluice_completion_fn SLUICE_NONNULL function,
                                           uint64_t context);
    /* Ends the timer; its function is not called any more. SLUICE_E_STALE: it has ended before. */
    sluice_status_t (*SLUICE_NONNULL cancel)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t timer);
} sluice_timer_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_timer_v1_t) == 24, "timer table layout");

#ifdef __cplusplus
}
#endif
#endif
