/*
 * Service sluice.chat-command/1: what users ask for by `/word`. Keyed by the command's name, without the slash: one provider
 * for each command and tenant.
 *
 * Who keeps messages asks it when a user sends one that begins with a slash and a command that the tenant's settings give the
 * channel's type, before anybody else hears of it and once the user is known to be allowed to write there. What an app's
 * server sends, and a change of a message, is no command.
 *
 * Method 1, run. Request, a JSON object:
 *
 *   {"command":"giphy","args":"cats","message":{"id":"msg_…","channel":"messaging:general","user_id":"alice","text":"/giphy cats",…}}
 *
 *   command  the key
 *   args     the text behind the command and the white space that follows it; may be empty
 *   message  as it would be published; `custom`, `attachments`, `mentions` and `parent_id` where it has them
 *
 * Reply, a JSON object, one of:
 *
 *   {"action":"send","text":"…","attachments":[…],"custom":{…}}    the message is sent with these members in place of its own
 *   {"action":"reply","text":"…","attachments":[…],"custom":{…}}   nothing is sent; the user alone gets this, as an event on
 *                                                                  his own channel, and it is kept nowhere
 *   {"action":"refuse","reason":"…"}                               the reason is for the user, who is answered 403 `forbidden`
 *
 * Members may be left out; `attachments` are at most 16 objects with a `type`, and the whole message has at most 64 KiB. What is sent
 * passes what messages pass otherwise: filters, lists and limits. The same message may be asked about again when its sender
 * repeats it, and is the same only if the answer is. The asker waits for a time of its settings, 1 s unless said and at
 * most 5 s. A reply that comes later, one that is none of these, a status of failure and no provider at all are the same to it:
 * the message is refused (503 `plugin_unavailable`).
 */
#ifndef SLUICE_SERVICES_CHAT_COMMAND_H
#define SLUICE_SERVICES_CHAT_COMMAND_H

#include "../types.h"

#define SLUICE_SERVICE_CHAT_COMMAND "sluice.chat-command/1"
#define SLUICE_CHAT_COMMAND_RUN 1u

#endif
