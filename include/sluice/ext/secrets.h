/*
 * sluice.secrets/1 (host): secrets that are needed to compute with, such as signing keys.
 *
 * They are sealed with AES-256-GCM under the operator's key, bound to tenant and name, and kept in the gateway's
 * own database. What is only compared (passwords, API keys, codes) does not belong here: store a hash of it.
 * Names are [a-z][a-z0-9_.-]{0,63}; a plugin reads and writes its tenant's names that begin with its own id and a
 * dot, and reads those that sluice.tenants/1 put there ("tenant.…").
 */
#ifndef SLUICE_EXT_SECRETS_H
#define SLUICE_EXT_SECRETS_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_SECRETS "sluice.secrets/1"

typedef struct sluice_secrets_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * The secret called `name`, or absent. Borrowed as every slice; do not keep a copy longer than needed. A change
     * made by anyone is seen by all loops when its completion has come.
     * [loop-thread & ACTIVE|DRAINING] and [control-thread & LOADED|CREATED]
     */
    sluice_slice_t (*SLUICE_NONNULL get)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t name);
    /* Stores the secret, at most 64 KiB; an absent value removes it. With `only_if_absent` 1, SLUICE_E_CONFLICT when
     * there is one. Durable when the completion says SLUICE_OK. [loop-thread & ACTIVE|DRAINING] */
    sluice_status_t (*SLUICE_NONNULL put)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t name,
                                          sluice_slice_t value, uint32_t only_if_absent,
                                          sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_secrets_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_secrets_v1_t) == 24, "secrets table layout");

#ifdef __cplusplus
}
#endif
#endif
