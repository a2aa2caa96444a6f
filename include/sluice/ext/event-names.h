/*
 * sluice.event-names/1 (host): what events are called on sockets.
 *
 * An event has a type ("agents.run.started"), under which it is stored, listened for and delivered. Its owner's manifest
 * may give it another name beside it, `socket_name` ("agent_started"), unique among the tenant's plugins, for clients
 * that read plain JSON. Whoever owns such sockets asks here for each event that it writes.
 */
#ifndef SLUICE_EXT_EVENT_NAMES_H
#define SLUICE_EXT_EVENT_NAMES_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_EVENT_NAMES "sluice.event-names/1"

typedef struct sluice_event_names_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Stores in *name what the tenant's events of `type` are called on sockets; it is borrowed until the shard is closed.
     * SLUICE_E_NOT_FOUND: they have no name but their type, or no plugin of the tenant emits them.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL socket_name)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t type,
                                                  sluice_slice_t *SLUICE_NONNULL name);
} sluice_event_names_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_event_names_v1_t) == 16, "event names table layout");

#ifdef __cplusplus
}
#endif
#endif
