/*
 * Service sluice.account-ties/1: what on the platform is an account's, and cannot be without it. Keyless: one provider on the
 * tenant "platform". Whoever keeps accounts asks it before one ends.
 *
 * Method 1, release. Lets go of an account, whose owner has just shown who he is. Request, a JSON object with who asks and from
 * where, for whoever keeps a log of it:
 *
 *   {"account":"acc_…","address":"203.0.113.7","request_id":"…"}
 *
 * Reply, a JSON object:
 *
 *   {"kept_by":[{"id":"app_…","name":"Shop"}],"more":false}
 *
 * "kept_by" has what nobody else owns, ten at most, and "more" is whether there is more: then the account must stay. Where it
 * is empty, nothing is the account's any more, and the account may end. What was let go of before something was found that
 * keeps the account stays so. SLUICE_E_INVALID: no such object.
 */
#ifndef SLUICE_SERVICES_ACCOUNT_TIES_H
#define SLUICE_SERVICES_ACCOUNT_TIES_H

#include "../types.h"

#define SLUICE_SERVICE_ACCOUNT_TIES "sluice.account-ties/1"
#define SLUICE_ACCOUNT_TIES_RELEASE 1u

#endif
