/*
 * sluice.clock/1 (host): what time it is. Use it rather than the system's clock, so that tests can move time.
 *
 * [any-thread & CREATED|ACTIVE|DRAINING] throughout.
 */
#ifndef SLUICE_EXT_CLOCK_H
#define SLUICE_EXT_CLOCK_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_CLOCK "sluice.clock/1"

typedef struct sluice_clock_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* Milliseconds since 1970-01-01T00:00:00Z. May jump when the machine's clock is set. */
    int64_t (*SLUICE_NONNULL unix_ms)(const sluice_host_v1_t *SLUICE_NONNULL host);
    /* Nanoseconds since an arbitrary moment; never goes back. */
    uint64_t (*SLUICE_NONNULL monotonic_ns)(const sluice_host_v1_t *SLUICE_NONNULL host);
} sluice_clock_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_clock_v1_t) == 24, "clock table layout");

#ifdef __cplusplus
}
#endif
#endif
