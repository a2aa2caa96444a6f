/*
 * Service sluice.message-filter/1: a look at what users say, before it is written. Keyless: one provider per tenant.
 *
 * Who keeps messages asks it, where a tenant's settings want that, with each message that a user sends or changes, and before
 * anybody else hears of it. What an app's server sends is not asked about.
 *
 * Method 1, look. Request, a JSON object:
 *
 *   {"action":"send","message":{"id":"msg_…","channel":"messaging:general","user_id":"alice","text":"…","created_at":"…"}}
 *
 *   action   "send", or "edit" for a message that is there already
 *   message  as it would be published; `custom`, `attachments`, `mentions` and `parent_id` where it has them
 *
 * Reply, a JSON object, one of:
 *
 *   {"action":"pass"}
 *   {"action":"rewrite","text":"…","custom":{…}}    the members that are there take the place of the message's
 *   {"action":"refuse","reason":"…"}                the reason is for the user, who is answered 403 `forbidden`
 *
 * The same message may be asked about again when its sender repeats it, and is the same only if the answer is: answer by what is
 * said, and not by how often. The asker waits for a time of its settings, 1 s unless said and at most 5 s. A reply that comes later, one that is
 * none of these, a status of failure and no provider at all are the same to it: its settings say whether such messages are
 * refused (503 `plugin_unavailable`, which is so unless said) or pass.
 */
#ifndef SLUICE_SERVICES_MESSAGE_FILTER_H
#define SLUICE_SERVICES_MESSAGE_FILTER_H

#include "../types.h"

#define SLUICE_SERVICE_MESSAGE_FILTER "sluice.message-filter/1"
#define SLUICE_MESSAGE_FILTER_LOOK 1u

#endif
