/*
 * sluice.metrics/1 (host): numbers for /metrics. Names get the prefix "sluice_<plugin>_".
 */
#ifndef SLUICE_EXT_METRICS_H
#define SLUICE_EXT_METRICS_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_METRICS "sluice.metrics/1"

#define SLUICE_METRIC_COUNTER 1u /* only grows */
#define SLUICE_METRIC_GAUGE 2u   /* goes up and down */

typedef struct sluice_metrics_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Declares a metric and gives its number, the same for the same name. `name` is [a-z][a-z0-9_]*, `help` a
     * sentence. 0: the name is malformed, has another kind, or the plugin has more than 256.
     * [any-thread & CREATED|ACTIVE]
     */
    uint64_t (*SLUICE_NONNULL declare)(const sluice_host_v1_t *SLUICE_NONNULL host, uint32_t kind,
                                       sluice_slice_t name, sluice_slice_t help);
    /* Adds to it; a negative amount is ignored for a counter. [any-thread & CREATED|ACTIVE|DRAINING] */
    void (*SLUICE_NONNULL add)(const sluice_host_v1_t *SLUICE_NONNULL host, uint64_t metric, int64_t amount);
} sluice_metrics_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_metrics_v1_t) == 24, "metrics table layout");

#ifdef __cplusplus
}
#endif
#endif
