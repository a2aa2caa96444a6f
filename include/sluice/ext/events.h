/*
 * sluice.events/1 (host) and sluice.event-listener/1 (plugin): hearing of what other plugins did.
 *
 * A plugin lists the types it wants under `listens` in its manifest ("chat.message.*"). For every tenant it has a
 * durable cursor over the tenant's events, so it hears each one at least once, in order, also those that happened
 * while it was not loaded. A listener whose reaction is a batch names the delivery in it (sluice_batch_v1.delivery):
 * the cursor moves in that same batch, and the effect is exactly once. Events of one tenant come one at a time. The
 * cursor begins where the plugin is switched on for the tenant, and is dropped where it is switched off.
 */
#ifndef SLUICE_EXT_EVENTS_H
#define SLUICE_EXT_EVENTS_H

#include "../host.h"
#include "../event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_EVENTS "sluice.events/1"
#define SLUICE_EXT_EVENT_LISTENER "sluice.event-listener/1"

/*
 * An outcome beside those of status.h: the event was looked at, and nothing came of it. The cursor moves on in memory and is
 * written down by and by, which costs no commit for each event; after a crash the event may come again.
 */
#define SLUICE_EVENT_PASSED_OVER 2

typedef struct sluice_events_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Ends a delivery that was answered SLUICE_PENDING. SLUICE_OK moves the cursor on, unless a batch has already
     * done so; SLUICE_EVENT_PASSED_OVER as above; a negative status has the same event delivered again after a pause that grows to a minute.
     * [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL done)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t delivery,
                                           sluice_status_t outcome);
} sluice_events_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_events_v1_t) == 16, "events table layout");

typedef struct sluice_event_listener_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* One event. SLUICE_OK: dealt with. SLUICE_EVENT_PASSED_OVER: as above. SLUICE_PENDING: `done` follows. Negative: deliver
     * it again later. [loop-thread & ACTIVE] */
    sluice_status_t (*SLUICE_NONNULL event)(uint64_t shard, const sluice_event_v1_t *SLUICE_NONNULL event,
                                            sluice_token_t delivery);
} sluice_event_listener_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_event_listener_v1_t) == 16, "event listener table layout");

#ifdef __cplusplus
}
#endif
#endif
