/*
 * Service sluice.accounts/1: who the developers' accounts are. Keyless: one provider on the tenant "platform".
 *
 * For plugins of the platform that keep accounts' ids and show people names, or that have to know which address an account
 * has. On an app's tenant there are no accounts: SLUICE_E_NOT_FOUND.
 *
 * Method 1, find. Request, a JSON object with at most 100 ids:
 *
 *   {"ids":["acc_…"]}
 *
 * Reply, a JSON object with those of them that there are, in no order:
 *
 *   {"accounts":[{"id":"acc_…","email":"ada@example.com","email_verified":true,"name":"Ada"}]}
 *
 * Addresses are in lower case. "email_verified" is whether somebody has shown that mail to the address reaches the owner. SLUICE_E_INVALID: more than 100 ids, or no such object.
 */
#ifndef SLUICE_SERVICES_ACCOUNTS_H
#define SLUICE_SERVICES_ACCOUNTS_H

#include "../types.h"

#define SLUICE_SERVICE_ACCOUNTS "sluice.accounts/1"
#define SLUICE_ACCOUNTS_FIND 1u

#endif
