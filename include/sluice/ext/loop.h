/*
 * sluice.loop/1 (host): getting back to the shard's loop from anywhere.
 *
 * This is what a language's own executor or scheduler is built on.
 */
#ifndef SLUICE_EXT_LOOP_H
#define SLUICE_EXT_LOOP_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_LOOP "sluice.loop/1"

typedef struct sluice_loop_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Has `function(context, SLUICE_OK, absent)` called on the shard's loop, later, in the order of the posts of one
     * thread. When the shard closes first it is called with SLUICE_E_CANCELLED. SLUICE_E_OVERLOADED: more than
     * 65,536 are waiting. [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL post)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                           sluice_completion_fn SLUICE_NONNULL function, uint64_t context);
} sluice_loop_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_loop_v1_t) == 16, "loop table layout");

#ifdef __cplusplus
}
#endif
#endif
