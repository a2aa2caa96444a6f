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
    /* The plugins that are installed, as a JSON array of
     * {"id","version","versions","scopes","summary","tenants","config_schema"}: `version` is the standard one, whose summary
     * and schema these are, `versions` all that a tenant may choose from, `scopes` what routes, sockets and messages of any
     * of them ask for. */
    sluice_slice_t (*SLUICE_NONNULL installed)(const sluice_host_v1_t *SLUICE_NONNULL host);
    /* The tenant's plugins, as a JSON array of {"id","version","enabled","config","revision"}, with "pinned" true where the tenant
     * has chosen the version, and "secrets", an array of {"pointer","set"}, where the plugin's settings have any: those are kept
     * sealed, and are not in "config". "revision" is a text that is another one after every change of the plugin's, of its
     * secrets too, and tells nothing of them. Absent: no such tenant. */
    sluice_slice_t (*SLUICE_NONNULL plugins)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant);
    /*
     * Switches a plugin on or off and gives it its settings (a JSON object; absent keeps what there is). Of settings that
     * the schema marks "writeOnly", one that is left out is kept, and null removes it. `version` chooses among the versions
     * that are installed; absent keeps the choice there is, and empty is none: the standard one. The new
     * generation is built and checked before it replaces the old one. SLUICE_E_INVALID, SLUICE_E_CONFIG: refused,
     * the old one goes on; result: a JSON array of {"pointer","message"}. SLUICE_E_NOT_FOUND: no such tenant,
     * plugin or version; result: a text that says which. SLUICE_E_CONFLICT: the set of plugins would not fit together, or the
     * tenant's data has a breaking migration that the version does not know; result: a text that says why.
     */
    sluice_status_t (*SLUICE_NONNULL set_plugin)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                 sluice_slice_t plugin, uint32_t enabled, sluice_slice_t config,
                                                 sluice_slice_t version,
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
     * there was. SLUICE_E_CONFLICT: one of them is another tenant's or the platform's own; result: a text that says which. */
    sluice_status_t (*SLUICE_NONNULL set_hosts)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                sluice_slice_t hosts, sluice_completion_fn SLUICE_NONNULL completion,
                                                uint64_t context);
    /* The origins whose pages may come to the tenant, separated by single spaces; replaces what there was, and empty is any. Each as
     * browsers write it (RFC 6454 §6.2: "https://shop.example", "http://localhost:3000"), or with "*." before a host name of
     * two labels or more. SLUICE_E_INVALID: one of them is none; result: a JSON array of {"pointer","message"}, whose
     * pointers are into the list. */
    sluice_status_t (*SLUICE_NONNULL set_origins)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                  sluice_slice_t origins,
                                                  sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* The tenant's allowed origins, separated by single spaces; absent: no such tenant. Valid like `plugins`. */
    sluice_slice_t (*SLUICE_NONNULL origins)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant);
    /* The tenant's credentials, as a JSON array of {"id","scopes","expires_at_ms","last_used_at_ms"}; absent: no such tenant.
     * When a credential was used last is kept to about two minutes, over restarts too, and is 0 before the first time. */
    sluice_slice_t (*SLUICE_NONNULL credentials)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant);
    /* Gives a credential other scopes, as in sluice_credential_v1. SLUICE_E_NOT_FOUND: the tenant has none of this id. */
    sluice_status_t (*SLUICE_NONNULL set_scopes)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                 sluice_slice_t id, sluice_slice_t scopes,
                                                 sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * Puts another text in the place of a secret, and keeps the old one under `name` followed by ".previous", for whoever
     * still has to accept it until `until_ms` (Unix milliseconds; not after now: no longer). What stands there is lines of
     * a time in decimal digits, a space, a secret that is good before that time, and a line feed, newest first, four at
     * most; the time may be over: what such a secret made is expired, not forged. None is good for longer than the one that
     * came after it. SLUICE_E_INVALID: the value holds a line feed. SLUICE_E_LIMITED: five would be kept whose time is not over.
     * A crash in between leaves the secret as it was, or another that `take_back_secret` takes back. When it is done the tenant's bus has in the channel
     * `@identities` an event "identities.void" with {"void_at_ms":…}, which is `until_ms`: whoever keeps a principal that
     * was recognised up to the event's time has it end then at the latest, and its client come back with a new credential.
     */
    sluice_status_t (*SLUICE_NONNULL rotate_secret)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                    sluice_slice_t name, sluice_slice_t value, int64_t until_ms,
                                                    sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * Leads a host name to the tenant (lower case, without port) and serves a certificate for it on every listener with TLS:
     * `chain` in PEM, the host's own first, each signed by the next, and its private key. Both are kept sealed; absent, they
     * stay as they are. Result: {"names","not_before_ms","not_after_ms"} of the certificate, or {}. SLUICE_E_CONFLICT: the host is
     * another tenant's, or the platform's own: one that the operator names so or has a certificate for; result: a text for
     * whoever asked. SLUICE_E_INVALID: no host name, or a certificate that does not fit its key or the host, is not
     * valid now, or is too weak; result: a JSON array of {"pointer","message"} under /certificate and /key. SLUICE_E_UNAVAILABLE:
     * the listeners' certificates cannot be renewed; nothing has changed; result: a text.
     */
    sluice_status_t (*SLUICE_NONNULL put_host)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                               sluice_slice_t name, sluice_slice_t chain, sluice_slice_t key,
                                               sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* Takes a host name and its certificate from the tenant. SLUICE_E_NOT_FOUND: it has no such host. */
    sluice_status_t (*SLUICE_NONNULL remove_host)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                  sluice_slice_t name,
                                                  sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * What the tenant uses, and what its plan lets it use. The result is the JSON object
     *
     *   {"plan":"free","quotas":[{"quota":"requests_per_month","limit":0,"used":0}],
     *    "hours":[{"hour_ms":0,"requests":0,"messages":0,"connections":0}]}
     *
     * with a limit of 0 for none, and of the hours, UTC, those with a row that begin at `from_ms` or later and before `to_ms`
     * (Unix milliseconds), the oldest first and at most 1,000. SLUICE_E_NOT_FOUND: no such tenant.
     */
    sluice_status_t (*SLUICE_NONNULL usage)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                            int64_t from_ms, int64_t to_ms,
                                            sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * The host names that lead to the tenant, as they are in force. The result is a JSON array, in the order in which they
     * were put, of
     *
     *   {"host":"shop.example","certificate":{"names":["shop.example"],"not_before_ms":0,"not_after_ms":0}}
     *
     * without "certificate" where none is kept for the host. Of the platform they are the names that are its own, which no
     * other tenant is given: `platform_hosts`, and those that the listeners' certificates are for. SLUICE_E_NOT_FOUND: no
     * such tenant.
     */
    sluice_status_t (*SLUICE_NONNULL hosts)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                            sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* `create`, on the operator's plan called `plan`; absent is the standard one. SLUICE_E_INVALID also when there is no such
     * plan; result: a JSON array of {"pointer","message"} that names those that there are. SLUICE_E_LIMITED: the plan allows
     * fewer plugins than new tenants begin with; result: words. */
    sluice_status_t (*SLUICE_NONNULL create_on)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                sluice_slice_t plan,
                                                sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* The name of the plan that the tenant is on now, whoever has chosen it; absent: no such tenant. It may be one that the
     * operator has taken away since. Valid like `plugins`. */
    sluice_slice_t (*SLUICE_NONNULL plan)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant);
    /* Takes back the last `rotate_secret` of a name, if the text that it has put there is the one whose SHA-256 is `digest` (32
     * bytes), and it was not taken back yet; else changes nothing. The secret and those before it are then what they were, and until when
     * they are good too. SLUICE_E_NOT_FOUND: no such tenant; SLUICE_E_INVALID: no digest. */
    sluice_status_t (*SLUICE_NONNULL take_back_secret)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                       sluice_slice_t name, sluice_slice_t digest,
                                                       sluice_completion_fn SLUICE_NONNULL completion,
                                                       uint64_t context);
    /* Looks whether `set_plugin` with the same would be refused, and changes nothing: whether plugin and version are installed, the settings
     * against the schema, the tenant's plan. What only the plugin itself can refuse, or the others that it has to fit together with, is
     * told by `set_plugin` alone. Codes and results are those of `set_plugin`. */
    sluice_status_t (*SLUICE_NONNULL check_plugin)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t tenant,
                                                   sluice_slice_t plugin, uint32_t enabled, sluice_slice_t config,
                                                   sluice_slice_t version,
                                                   sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_tenants_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_tenants_v1_t) == 184, "tenants table layout");

#ifdef __cplusplus
}
#endif
#endif
