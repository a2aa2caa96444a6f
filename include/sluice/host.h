/*
 * Sluice plugin contract: the host table.
 *
 * What a plugin sees of the gateway: who it runs for, and one door through which everything else is asked for by
 * name. The gateway hands out one table per instance and one per shard. A table belongs to the gateway; it and all
 * extensions obtained through it are valid until `destroy` (instance) or `close` (shard) returns.
 */
#ifndef SLUICE_HOST_H
#define SLUICE_HOST_H

#include "types.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_NO_LOOP UINT32_MAX

typedef struct sluice_host_v1 sluice_host_v1_t;

struct sluice_host_v1 {
    uint32_t struct_size; /* sizeof of the struct as the host was built; never read past it */
    uint16_t abi_major;   /* SLUICE_ABI_MAJOR of the host */
    uint16_t abi_minor;

    uint64_t context;     /* the host's own; the plugin never reads it */

    uint32_t loop_index;  /* which event loop this shard lives on, from 0; SLUICE_NO_LOOP on an instance's table */
    uint32_t loop_count;  /* how many loops there are, so how many shards an instance may have at most */

    sluice_slice_t host_name;    /* "sluice"; lives as long as the table, like the next three */
    sluice_slice_t host_version; /* for people; take no decision on it */
    sluice_slice_t plugin;       /* the id in the plugin's manifest */
    sluice_slice_t tenant;       /* the tenant that this instance serves: an app's id, or "platform" */

    /*
     * The extension called `id` (a zero-terminated string such as "sluice.http/1"), as a pointer to the constant
     * struct that the extension's header defines, or NULL: not known to this host, not asked for in the manifest,
     * or not granted by the operator. NULL is always a legal answer. The same id gives the same pointer for the
     * life of the table. Extensions whose functions are [loop-thread] are NULL on an instance's table.
     *
     * [control-thread & CREATED] with an instance's table, [loop-thread & ACTIVE] with a shard's.
     */
    const void *SLUICE_NULLABLE (*SLUICE_NONNULL get_extension)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                                                const char *SLUICE_NONNULL id);
};

SLUICE_STATIC_ASSERT(sizeof(sluice_host_v1_t) == 96, "host table layout");

#ifdef __cplusplus
}
#endif
#endif
