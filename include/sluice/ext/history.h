/*
 * sluice.history/1 (host): channels that a tenant's settings describe, and their histories in both directions.
 *
 * A plugin whose namespaces are fixed names them under `channels` in its manifest and needs nothing of this but
 * `read`. One that lets each tenant choose declares them with `keep` while its instance is made; from then on the
 * events of its batches (store.h) may go to channels of these namespaces.
 *
 * The namespace of a channel is the text before its first colon, without a leading "$"; a channel without a colon, or
 * one that begins with "#", is in the namespace "".
 */
#ifndef SLUICE_EXT_HISTORY_H
#define SLUICE_EXT_HISTORY_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_HISTORY "sluice.history/1"

/* Flag of `read`: the newest event first. */
#define SLUICE_HISTORY_REVERSE 1u

typedef struct sluice_history_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Declares a namespace of the instance: its channels keep `size` events (at most 1,000,000; 0: the events get no
     * offset and are in no history), each for `seconds` (0: until the size drops it). Declared twice, the last counts.
     * A namespace that stands in the manifest of one of the tenant's plugins is that plugin's, whatever is declared:
     * an event for it is SLUICE_E_DENIED. SLUICE_E_INVALID: `size` or `seconds` (at most 315,360,000) is too large, or
     * the name is longer than 64 bytes. [control-thread & LOADED]
     */
    sluice_status_t (*SLUICE_NONNULL keep)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t name,
                                           uint32_t size, uint32_t seconds);
    /*
     * Reads a channel's history: events with an offset above `since`, oldest first; with SLUICE_HISTORY_REVERSE those
     * below `since` (0: from the newest), newest first. At most `limit` (0–1,000; 0 asks only where the channel
     * stands). The completion's result is as that of sluice.bus/1 `history`. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL read)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                           uint64_t since, uint32_t limit, uint32_t flags,
                                           sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_history_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_history_v1_t) == 24, "history table layout");

#ifdef __cplusplus
}
#endif
#endif
