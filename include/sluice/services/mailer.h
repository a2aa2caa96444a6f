/*
 * Service sluice.mailer/1: one message by e-mail to one address. Keyless: one provider per tenant.
 *
 * Method 1, send. Request, a JSON object:
 *
 *   {"to":"ada@example.com","subject":"…","text":"…","html":"…","category":"verification","key":"auth.let_…"}
 *
 *   to        one address, local@domain in ASCII, of at most 254 bytes
 *   subject   one line of 1 to 200 characters
 *   text      the message as plain text, at most 65,536 bytes
 *   html      the same as HTML, at most 262,144 bytes; may be left out
 *   category  what sort of message it is, [a-z][a-z0-9_.-]{0,39}: for the log and for counting
 *   key       what the caller knows the message by, 1 to 64 printable characters of ASCII that begin with its plugin's id and a dot; may be
 *             left out. Asking again under the same key, for seven days or more from the message's end, is answered with the message that there is: so
 *             whoever does not know whether an earlier call was carried out repeats it, and one message goes out
 *
 *   values    {"inviter":"ada@example.com"}: what stands where subject, text or html say {inviter}, escaped in html; at most 16 names
 *             [a-z_]{1,40}, each with one line of at most 256 characters; may be left out. Whatever somebody else has written belongs
 *             here: nothing is replaced in a value
 *
 * Wherever subject, text or html say {product} it becomes the product's name from the mailer's settings, escaped in html. A name in
 * braces that has no value is text.
 *
 * Reply, a JSON object: {"id":"msg_…"}. The message is then in the mailer's queue on disk, and goes out at least once: it is tried
 * again with growing pauses until it is taken or given up, which is the event `mailer.message.failed`. A message that is
 * repeated has the same Message-ID.
 *
 * SLUICE_E_INVALID: a member is missing, too long or malformed, such as an address or a subject with a line break; the text in
 * the reply says which. SLUICE_E_OVERLOADED: the queue is full. SLUICE_E_STORAGE_FULL, SLUICE_E_UNAVAILABLE: it cannot be stored
 * now. In each of these nothing was stored.
 */
#ifndef SLUICE_SERVICES_MAILER_H
#define SLUICE_SERVICES_MAILER_H

#include "../types.h"

#define SLUICE_SERVICE_MAILER "sluice.mailer/1"
#define SLUICE_MAILER_SEND 1u

#endif
