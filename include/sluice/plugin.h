/*
 * Sluice plugin contract: the entry point and the life of a plugin.
 *
 * A plugin is a shared object that exports one symbol, the function sluice_plugin_entry_v1, and hides all others.
 *
 *     LOADED ──create──▶ CREATED(tenant) ──open──▶ ACTIVE(shard per loop) ──drain──▶ DRAINING ──close──▶ RETIRED
 *
 *   LOADED    the gateway has the entry table. Nothing of the plugin runs yet. There is no unload: the image stays
 *             mapped until the process ends.
 *   CREATED   one instance for each tenant that has the plugin switched on: its configuration, immutable.
 *   ACTIVE    one shard of an instance per event loop: all mutable state, touched by that loop alone, so no locks.
 *   DRAINING  the shard gets no new requests or connections; it finishes what it has.
 *   RETIRED   every shard is closed, then the instance is destroyed.
 *
 * Instances and shards are opened at first use and closed when they have not been used for long, or when the
 * tenant's set of plugins or its configuration changes: then a new generation is built beside the old one, and the
 * old one drains. A plugin must not keep state in globals: several generations and tenants share one image.
 *
 * Ask for extensions in `create` and `open` and keep the pointers in the instance or the shard.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_plugin_v1 {
    uint32_t struct_size; /* sizeof(sluice_plugin_v1_t) as the plugin was built */
    uint16_t abi_major;   /* SLUICE_ABI_MAJOR: another major is refused at load */
    uint16_t abi_minor;

    sluice_slice_t id;      /* must equal the manifest's id */
    sluice_slice_t version; /* must equal the manifest's version */

    /*
     * Makes the instance for one tenant. The tenant's settings, already checked against the manifest's schema and
     * completed by its defaults, are in sluice.config/1. On success stores a value of the plugin's own choosing in
     * *instance. On SLUICE_E_CONFIG the reason given through sluice.config/1 reaches whoever changed the settings,
     * and the generation in service stays in service.
     * [control-thread & LOADED]
     */
    sluice_status_t (*SLUICE_NONNULL create)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                             uint64_t *SLUICE_NONNULL instance);

    /* Ends the instance; every shard of it is closed. The host table is gone when it returns.
     * [control-thread & RETIRED] */
    void (*SLUICE_NONNULL destroy)(uint64_t instance);

    /*
     * Makes the shard of an instance for the loop named in `host`. Stores a value of the plugin's choosing in
     * *shard. Must be quick. A failure leaves the generation in service as it was.
     * [loop-thread & CREATED]
     */
    sluice_status_t (*SLUICE_NONNULL open)(uint64_t instance, const sluice_host_v1_t *SLUICE_NONNULL host,
                                           uint64_t *SLUICE_NONNULL shard);

    /* No new work comes. Requests and sockets in hand go on until they end or the operator's drain time is over.
     * NULL when there is nothing to do. [loop-thread & ACTIVE] */
    void (*SLUICE_NULLABLE drain)(uint64_t shard);

    /* Ends the shard. All its requests, connections, timers and completions have ended before. The host table is
     * gone when it returns. [loop-thread & DRAINING] */
    void (*SLUICE_NONNULL close)(uint64_t shard);

    /*
     * What the plugin offers the host: "sluice.http-handler/1" and so on, as a pointer to a constant struct with
     * static lifetime, or NULL. The same id gives the same pointer always.
     * [any-thread & LOADED]
     */
    const void *SLUICE_NULLABLE (*SLUICE_NONNULL get_extension)(const char *SLUICE_NONNULL id);
} sluice_plugin_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_plugin_v1_t) == 88, "plugin table layout");

/*
 * The one exported symbol. Returns a constant table with static lifetime; called once after dlopen.
 * A function, not a variable, so that a plugin in a language with initialisation order can prepare it.
 * [control-thread]
 */
SLUICE_EXPORT const sluice_plugin_v1_t *SLUICE_NONNULL sluice_plugin_entry_v1(void);

#ifdef __cplusplus
}
#endif
#endif
