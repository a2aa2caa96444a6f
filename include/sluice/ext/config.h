/*
 * sluice.config/1 (host): the tenant's settings for this plugin.
 */
#ifndef SLUICE_EXT_CONFIG_H
#define SLUICE_EXT_CONFIG_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_CONFIG "sluice.config/1"

typedef struct sluice_config_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* The settings as a JSON object that is valid under the manifest's `config` schema, with its defaults filled
     * in; "{}" when there are none. Valid for the life of the instance, which never sees them change.
     * [any-thread & CREATED|ACTIVE|DRAINING] */
    sluice_slice_t (*SLUICE_NONNULL get)(const sluice_host_v1_t *SLUICE_NONNULL host);
    /* Says why `create` is about to return SLUICE_E_CONFIG: `pointer` is an RFC 6901 JSON pointer into the settings,
     * `message` what is wrong and what would be right. [control-thread & LOADED] */
    void (*SLUICE_NONNULL refuse)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t pointer,
                                  sluice_slice_t message);
} sluice_config_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_config_v1_t) == 24, "config table layout");

#ifdef __cplusplus
}
#endif
#endif
