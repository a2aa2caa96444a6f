/*
 * Sluice plugin contract: who is asking.
 *
 * A principal is what the tenant's authenticator made of a credential. Handlers see it, never the credential.
 */
#ifndef SLUICE_PRINCIPAL_H
#define SLUICE_PRINCIPAL_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_PRINCIPAL_ANONYMOUS 0u /* no credential was given, and the route allows that */
#define SLUICE_PRINCIPAL_ACCOUNT 1u   /* a developer with an account on the platform */
#define SLUICE_PRINCIPAL_KEY 2u       /* an app's own server, with a secret key */
#define SLUICE_PRINCIPAL_USER 3u      /* an end user of an app */

typedef struct sluice_principal_v1 {
    uint32_t kind; /* SLUICE_PRINCIPAL_… */
    uint32_t reserved;
    sluice_slice_t id;          /* "acc_…", "key_…" or the app's own name of the user; empty when anonymous */
    sluice_slice_t scopes;      /* separated by single spaces, sorted; "*" is all */
    sluice_slice_t claims;      /* a JSON object with what else the authenticator vouches for; "{}" if nothing */
    int64_t expires_at_ms;      /* Unix milliseconds after which the principal is void; 0 is never */
} sluice_principal_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_principal_v1_t) == 64, "principal layout");

#ifdef __cplusplus
}
#endif
#endif
