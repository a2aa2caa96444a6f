/*
 * sluice.tenants/1 (host): making and changing tenants.
 *
 * The one extension that reaches across tenants. It is NULL unless the manifest asks for it, the operator grants it
 * and the instance runs on the tenant "platform". Everything here is durable when its completion says SLUICE_OK, and
 * in force on every loop from then on, without a restart and without touching other tenants.
 *
 * [loop-thread & ACTIVE|DRAINING] throughout.
 */
#ifndef SLUICE_EXT_TENANTS_H
#define SLUICE_EXT_TENANTS_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_TENANTS "sluice.tenants/1"

/* A key that the host recognises by the SHA-256 of its text, so that the text itself is kept nowhere. */
typedef struct sluice_credential_v1 {
    sluice_slice_t id;        /* "key_…" */
    sluice_slice_t digest;    /* 32 bytes: SHA-256 of the whole credential as a client sends it */
    sluice_slice_t scopes;    /* separated by single spaces; "*" is all */
    int64_t expires_at_ms;    /* Unix milliseconds; 0 is never */
} sluice_credential_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_credential_v1_t) == 56, "credential layout");

typedef struct sluice_tenants_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* Makes an empty tenant with the plugins that the operator's configuration gives to new tenants.
     * SLUICE_E_CONFLICT: there is one; SLUICE_E_INVALID: not [a-z][a-z0-9_-]{0,63}. */
    sluice_status_t (*SLUICE_NONNULL create)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                             sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* Ends the tenant: its requests are refused at once, its sockets closed, its file and credentials removed. */
    sluice_status_t (*SLUICE_NONNULL remove)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                             sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* The plugins that are installed, as a JSON array of {"id","version","summary","tenants","config_schema"}. */
    sluice_slice_t (*SLUICE_NONNULL installed)(const sluice_host_v1_t *SLUICE_NONNULL host);
    /* The tenant's plugins, as a JSON array of {"id","version","enabled","config"}; absent: no such tenant. */
    sluice_slice_t (*SLUICE_NONNULL plugins)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant);
    /*
     * Switches a plugin on or off and gives it its settings (a JSON object; absent keeps what there is). The new
     * generation is built and checked before it replaces the old one. SLUICE_E_INVALID, SLUICE_E_CONFIG: refused,
     * the old one goes on; result: a JSON array of {"pointer","message"}. SLUICE_E_NOT_FOUND: no such tenant or
     * plugin. SLUICE_E_CONFLICT: the set of plugins would not fit together; result: a text that says why.
     */
    sluice_status_t (*SLUICE_NONNULL set_plugin)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                 sluice_slice_t plugin, uint32_t enabled, sluice_slice_t config,
                                                 sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* Lets a credential in. SLUICE_E_CONFLICT: the id or the digest is in use. */
    sluice_status_t (*SLUICE_NONNULL put_credential)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                                     sluice_slice_t tenant,
                                                     const sluice_credential_v1_t *SLUICE_NONNULL credential,
                                                     sluice_completion_fn SLUICE_NONNULL completion,
                                                     uint64_t context);
    /* Ends a credential at `at_ms` (Unix milliseconds; 0 is at once). SLUICE_E_NOT_FOUND: the tenant has none. */
    sluice_status_t (*SLUICE_NONNULL revoke_credential)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                                        sluice_slice_t tenant, sluice_slice_t id, int64_t at_ms,
                                                        sluice_completion_fn SLUICE_NONNULL completion,
                                                        uint64_t context);
    /* Puts a secret where the tenant's own plugins can read it; `name` begins with "tenant.". As sluice.secrets/1. */
    sluice_status_t (*SLUICE_NONNULL put_secret)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                 sluice_slice_t name, sluice_slice_t value,
                                                 sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* The host names (lower case, without port) that lead to the tenant, separated by single spaces; replaces what
     * there was. SLUICE_E_CONFLICT: one of them is another tenant's. */
    sluice_status_t (*SLUICE_NONNULL set_hosts)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                sluice_slice_t hosts, sluice_completion_fn SLUICE_NONNULL completion,
                                                uint64_t context);
    /* The origins whose pages may come to the tenant, separated by single spaces; replaces what there was, and empty is any. Each as
     * browsers write it (RFC 6454 §6.2: "https://shop.example", "http://localhost:3000"), or with "*." before a host name of
     * two labels or more. SLUICE_E_INVALID: one of them is none; result: a text that names it. */
    sluice_status_t (*SLUICE_NONNULL set_origins)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                  sluice_slice_t origins,
                                                  sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* The tenant's allowed origins, separated by single spaces; absent: no such tenant. Valid like `plugins`. */
    sluice_slice_t (*SLUICE_NONNULL origins)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant);
} sluice_tenants_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_tenants_v1_t) == 96, "tenants table layout");

#ifdef __cplusplus
}
#endif
#endif
