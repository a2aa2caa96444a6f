/*
 * sluice.files/1 (host): a folder for what is a file and not a row.
 *
 * Each plugin has one folder for each tenant, below the operator's data folder, and the whole of it is the plugin's. It goes
 * when the tenant is removed; it is no part of what `sluice tenant export` writes. What is in it counts towards the plan's
 * storage_bytes, as rows do.
 */
#ifndef SLUICE_EXT_FILES_H
#define SLUICE_EXT_FILES_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_FILES "sluice.files/1"

typedef struct sluice_files_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * The absolute path of the folder, which is made if it is not there, for the gateway's user alone (0700). Absent
     * when it cannot be made; the gateway's log says why. Borrowed until the call that asks returns. Files are read and
     * written on worker threads, as whatever blocks. [control-thread & LOADED|CREATED] with an instance's table; absent elsewhere.
     */
    sluice_slice_t (*SLUICE_NONNULL folder)(const sluice_host_v1_t *SLUICE_NONNULL host);
} sluice_files_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_files_v1_t) == 16, "files table layout");

#ifdef __cplusplus
}
#endif
#endif
