/*
 * sluice.event-types/1 (host): which events the tenant's plugins may emit.
 *
 * Manifests say it under `emits`: for whoever offers a choice among events, or shows what they look like.
 */
#ifndef SLUICE_EXT_EVENT_TYPES_H
#define SLUICE_EXT_EVENT_TYPES_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_EVENT_TYPES "sluice.event-types/1"

typedef struct sluice_event_types_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * A JSON array of {"type","plugin","ephemeral","schema"} in the order of the types, with "socket_name" where one has such
     * a name: of all plugins that are switched on for the tenant, the caller's own too. "ephemeral" is true for what is
     * told to sockets alone and never stored: no listener hears it. "schema" is the JSON Schema of the data, whose "examples" are
     * such data. It is borrowed until the shard is closed, and another set of plugins is another shard.
     * [loop-thread & ACTIVE|DRAINING]; absent on any other thread.
     */
    sluice_slice_t (*SLUICE_NONNULL list)(const sluice_host_v1_t *SLUICE_NONNULL host);
} sluice_event_types_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_event_types_v1_t) == 16, "event types table layout");

#ifdef __cplusplus
}
#endif
#endif
