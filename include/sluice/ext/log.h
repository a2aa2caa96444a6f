/*
 * sluice.log/1 (host): lines in the gateway's log, as JSON, with tenant and plugin already in them.
 */
#ifndef SLUICE_EXT_LOG_H
#define SLUICE_EXT_LOG_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_LOG "sluice.log/1"

#define SLUICE_LOG_DEBUG 0u
#define SLUICE_LOG_INFO 1u
#define SLUICE_LOG_WARNING 2u
#define SLUICE_LOG_ERROR 3u

typedef struct sluice_log_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * One line. `fields` is absent or a JSON object that is put into the line as it is; a malformed one is dropped
     * and counted. Never blocks: when the log is behind, lines are dropped and counted. Never log a credential.
     * [any-thread & CREATED|ACTIVE|DRAINING]
     */
    void (*SLUICE_NONNULL write)(const sluice_host_v1_t *SLUICE_NONNULL host, uint32_t level, sluice_slice_t message,
                                 sluice_slice_t fields);
} sluice_log_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_log_v1_t) == 16, "log table layout");

#ifdef __cplusplus
}
#endif
#endif
