/*
 * sluice.alarm/1 (host) and sluice.alarm-handler/1 (plugin): being woken at a time, whatever happens until then.
 *
 * A plugin has at most one alarm for each tenant. It stands on disk with the gateway's own data: when its time has come,
 * or at once where that was while the gateway did not run, the host opens the tenant if it is not open and calls `wake` of
 * one shard. The plugin does what is due and says when it is to be woken next.
 *
 * Set the alarm BEFORE the row that needs it is committed, wait for its completion, and set it AGAIN when that is committed.
 * A crash between the first and the row leaves a wake-up that finds nothing to do; the other way round it would leave a row
 * that nobody is woken for. The second is for a wake-up that came in between: it did not see the row, and ended the alarm.
 * Where an earlier alarm stands either costs next to nothing. Should both happen, the host wakes the plugins of tenants whose
 * files were not closed in order once when it starts.
 *
 * A plugin is woken at least once: again after a crash, and when it has not said in time that it has ended. What a wake-up
 * does exactly once it does in a batch with guards (store.h): one that takes the row away and emits the event, say. Alarms
 * follow the clock of day (sluice.clock/1 `unix_ms`). When that is set forward they come within a minute, and when it is
 * set back they come by the new time. One set for a time that is past comes at once.
 */
#ifndef SLUICE_EXT_ALARM_H
#define SLUICE_EXT_ALARM_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_ALARM "sluice.alarm/1"
#define SLUICE_EXT_ALARM_HANDLER "sluice.alarm-handler/1"

/* For `done`: there is nothing to be woken for. */
#define SLUICE_ALARM_NONE 9223372036854775807LL
/* The last time that there can be an alarm for: the end of the year 9999, in Unix milliseconds. */
#define SLUICE_ALARM_LAST 253402300799999LL

typedef struct sluice_alarm_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Has the plugin woken at `at_ms`, in Unix milliseconds, or at the time that is set already when that is earlier. It is
     * on disk when `completion` is called with SLUICE_OK. There is no way to take an alarm back: one that is not needed any
     * more finds nothing. Set while the plugin is being woken, it is kept beside what `done` says; the earlier counts.
     * The completion's other statuses are those of a batch that could not be written (store.h). SLUICE_E_INVALID at once:
     * `at_ms` is below 0 or above SLUICE_ALARM_LAST.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL set)(const sluice_host_v1_t *SLUICE_NONNULL host, int64_t at_ms,
                                          sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * Ends a wake-up that was answered SLUICE_PENDING. With SLUICE_OK the alarm goes, or moves to `next_ms` unless that is
     * SLUICE_ALARM_NONE; a time that is past has the plugin woken again a moment later, for work done in slices. A negative
     * `outcome` has it woken for the same again after a pause that grows from a second to five minutes; `next_ms` is then
     * ignored. SLUICE_E_STALE: the wake-up has ended, or its time was over. SLUICE_E_INVALID: `next_ms` is neither a time as
     * for `set` nor SLUICE_ALARM_NONE; the wake-up has not ended.
     * [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL done)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t wake,
                                           sluice_status_t outcome, int64_t next_ms);
} sluice_alarm_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_alarm_v1_t) == 24, "alarm table layout");

typedef struct sluice_alarm_handler_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * The alarm's time has come. SLUICE_OK: dealt with, and nothing to be woken for. SLUICE_PENDING: `done` follows within a
     * minute (`limits.alarm_seconds` of the manifest), else the plugin is woken again as after a failure. Negative: as `done`. A shard that is closed before
     * has its wake-up repeated, on the tenant's next generation if there is one. One wake-up at a time for each tenant; whoever
     * is still at one when its time is over has the next one come all the same.
     * [loop-thread & ACTIVE]
     */
    sluice_status_t (*SLUICE_NONNULL wake)(uint64_t shard, sluice_token_t wake);
} sluice_alarm_handler_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_alarm_handler_v1_t) == 16, "alarm handler table layout");

#ifdef __cplusplus
}
#endif
#endif
