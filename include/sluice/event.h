/*
 * Sluice plugin contract: an event that has happened.
 *
 * The same struct reaches subscribers of a channel (ext/bus.h) and listeners of a type (ext/events.h).
 */
#ifndef SLUICE_EVENT_H
#define SLUICE_EVENT_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_event_v1 {
    uint64_t sequence;        /* position among all durable events of the tenant, from 1; 0 when ephemeral */
    uint64_t offset;          /* position in its channel, from 1, without gaps; 0 when ephemeral or channelless */
    int64_t time_ms;          /* when it was committed, Unix milliseconds */
    sluice_slice_t type;      /* "chat.message.created" */
    sluice_slice_t id;        /* "evt_…", the same wherever the event appears */
    sluice_slice_t channel;   /* absent when the event belongs to no channel */
    sluice_slice_t epoch;     /* of the tenant's history; offsets of different epochs do not compare. Absent when
                                 ephemeral */
    sluice_slice_t data;      /* JSON, byte for byte as it was emitted */
} sluice_event_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_event_v1_t) == 104, "event layout");

#ifdef __cplusplus
}
#endif
#endif
