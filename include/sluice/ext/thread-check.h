/*
 * sluice.thread-check/1 (host): which thread this is. For assertions in debug builds.
 *
 * [any-thread & CREATED|ACTIVE|DRAINING] throughout.
 */
#ifndef SLUICE_EXT_THREAD_CHECK_H
#define SLUICE_EXT_THREAD_CHECK_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_THREAD_CHECK "sluice.thread-check/1"

typedef struct sluice_thread_check_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* 1 on the thread of the loop that `host` belongs to (never with an instance's table), else 0. */
    uint32_t (*SLUICE_NONNULL is_loop_thread)(const sluice_host_v1_t *SLUICE_NONNULL host);
    /* 1 on the control thread, else 0. */
    uint32_t (*SLUICE_NONNULL is_control_thread)(const sluice_host_v1_t *SLUICE_NONNULL host);
} sluice_thread_check_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_thread_check_v1_t) == 24, "thread check table layout");

#ifdef __cplusplus
}
#endif
#endif
