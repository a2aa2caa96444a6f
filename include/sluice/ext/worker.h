/*
 * sluice.worker/1 (host): work that blocks or takes long.
 *
 * A small pool of threads beside the loops, with a bounded queue, shared by the instances of one plugin.
 */
#ifndef SLUICE_EXT_WORKER_H
#define SLUICE_EXT_WORKER_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_WORKER "sluice.worker/1"

/* A job. What it returns is the status of the completion. It owns what `context` stands for until it returns.
 * [worker-thread] */
typedef sluice_status_t (*sluice_job_fn)(uint64_t context);

typedef struct sluice_worker_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Runs `job(context)` on a worker thread, then `completion(context, status, absent)` on the shard's loop.
     * SLUICE_E_OVERLOADED at once: the queue is full; neither is called. A shard that is about to close is closed when
     * its jobs that have started have ended, while its loop goes on; those that have not started are completed with
     * SLUICE_E_CANCELLED, and further ones are refused with it at once.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL submit)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                             sluice_job_fn SLUICE_NONNULL job,
                                             sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_worker_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_worker_v1_t) == 16, "worker table layout");

#ifdef __cplusplus
}
#endif
#endif
