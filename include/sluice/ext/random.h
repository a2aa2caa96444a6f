/*
 * sluice.random/1 (host): bytes that nobody can guess.
 */
#ifndef SLUICE_EXT_RANDOM_H
#define SLUICE_EXT_RANDOM_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_RANDOM "sluice.random/1"

typedef struct sluice_random_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* Fills the caller's `length` bytes at `bytes` from the kernel's generator. Cannot fail. A test host gives a
     * reproducible sequence. [any-thread & CREATED|ACTIVE|DRAINING] */
    void (*SLUICE_NONNULL fill)(const sluice_host_v1_t *SLUICE_NONNULL host, uint8_t *SLUICE_NONNULL bytes,
                                uint64_t length);
} sluice_random_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_random_v1_t) == 16, "random table layout");

#ifdef __cplusplus
}
#endif
#endif
