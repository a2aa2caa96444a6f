/*
 * Service sluice.account-ties/1: what on the platform is an account's, and cannot be without it. Keyless: one provider on the
 * tenant "platform". Whoever keeps accounts asks it before one ends, and tells it afterwards. The request of both methods is a
 * JSON object with who asks and from where, for whoever keeps a log of it:
 *
 *   {"account":"acc_…","departure":"dep_…","address":"203.0.113.7","request_id":"…"}
 *
 * "departure" is what the caller calls this end of the account, the same in both methods: an id of its own making, never of a
 * client's, as "request_id" is.
 *
 * Method 1, depart. The account, whose owner has just shown who he is, is about to end. Reply, a JSON object:
 *
 *   {"kept_by":[{"id":"app_…","name":"Shop"}],"more":false}
 *
 * "kept_by" has what nobody else owns, ten at most, and "more" is whether there is more: then the account must stay, and
 * nothing has changed. Where it is empty the account may end, and until it is settled nothing becomes the account's and nothing
 * that it has counts as owned by it. To ask twice is to ask once.
 *
 * Method 2, settle. Whether the account has ended is certain now: the provider looks it up by sluice.accounts/1. Nothing is an
 * ended account's any more when this is answered; of one that is still there all is as it was. Reply, a JSON object: {}. What
 * nobody settles the provider settles by itself some minutes later.
 *
 * SLUICE_E_INVALID: no such object.
 */
#ifndef SLUICE_SERVICES_ACCOUNT_TIES_H
#define SLUICE_SERVICES_ACCOUNT_TIES_H

#include "../types.h"

#define SLUICE_SERVICE_ACCOUNT_TIES "sluice.account-ties/1"
#define SLUICE_ACCOUNT_TIES_DEPART 1u
#define SLUICE_ACCOUNT_TIES_SETTLE 2u

#endif
