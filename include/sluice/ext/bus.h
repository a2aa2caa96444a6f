/*
 * sluice.bus/1 (host) and sluice.bus-subscriber/1 (plugin): channels.
 *
 * A channel is called `namespace:name`. What is published in it reaches every shard, on whichever loop, that has
 * subscribed, once per shard; the shard then hands it to its connections, usually through one group (groups.h).
 *
 * A *durable* channel has history: its events are written by sluice.store/1 batches and appear here only after they
 * are on disk, in order of their offsets. A receiver keeps the last offset it has seen, drops what is not above it
 * and fills a gap from `history`. An *ephemeral* publication has no offset and is kept nowhere.
 *
 * [loop-thread & ACTIVE|DRAINING] throughout.
 */
#ifndef SLUICE_EXT_BUS_H
#define SLUICE_EXT_BUS_H

#include "../host.h"
#include "../event.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_BUS "sluice.bus/1"
#define SLUICE_EXT_BUS_SUBSCRIBER "sluice.bus-subscriber/1"

typedef struct sluice_bus_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * From now on publications in `channel` come to sluice.bus-subscriber/1 with `context`, until `unsubscribe`.
     * Stores the subscription's token. SLUICE_E_INVALID: not a channel name (1–255 bytes of UTF-8 without control
     * characters). SLUICE_E_TOO_LARGE: more than 1,000,000 subscriptions in the shard.
     */
    sluice_status_t (*SLUICE_NONNULL subscribe)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                                uint64_t context, sluice_token_t *SLUICE_NONNULL subscription);
    /* Nothing more comes for this subscription, from the return of this call on. */
    sluice_status_t (*SLUICE_NONNULL unsubscribe)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                                  sluice_token_t subscription);
    /*
     * Publishes an ephemeral event to the tenant's subscribers on all loops. `type` may be absent. `data` is copied
     * and passed through unread: JSON wherever another plugin or a client is to understand it, else any bytes.
     * SLUICE_E_DENIED: a type that is the host's own (presence.h). SLUICE_E_TOO_LARGE: more than 1 MiB.
     * Also reaches the publisher's own shard if it has subscribed, after this call has returned.
     */
    sluice_status_t (*SLUICE_NONNULL publish)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                              sluice_slice_t type, sluice_slice_t data);
    /*
     * Reads a durable channel: events with an offset above `since`, oldest first, at most `limit` (1–1,000). The
     * completion's result is one row block (ext/store.h) with the columns sequence, offset, time_ms, type, id, data
     * of the events, followed by a second statement of one row with top_offset and epoch. It contains every event
     * whose batch was acknowledged before this call.
     */
    sluice_status_t (*SLUICE_NONNULL history)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                              uint64_t since, uint32_t limit,
                                              sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_bus_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_bus_v1_t) == 40, "bus table layout");

typedef struct sluice_bus_subscriber_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* One publication; everything in *event is borrowed until the return. [loop-thread & ACTIVE|DRAINING] */
    void (*SLUICE_NONNULL publication)(uint64_t shard, uint64_t context,
                                       const sluice_event_v1_t *SLUICE_NONNULL event);
} sluice_bus_subscriber_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_bus_subscriber_v1_t) == 16, "bus subscriber table layout");

#ifdef __cplusplus
}
#endif
#endif
