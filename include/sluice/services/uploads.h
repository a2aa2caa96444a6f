/*
 * Service sluice.uploads/1: files of an app's users. Keyless: one provider per app.
 *
 * Method 1, erase: deletes all uploads of a user, for whoever takes a user out of an app. Request, a JSON object:
 *
 *   {"user_id":"alice"}
 *
 *   user_id  the app's own name of the user, 1 to 128 bytes
 *
 * Reply, a JSON object: {"deleted":3}, how many there were. Nobody sees them any more, also after a crash; bytes that the disk does not
 * give up now are removed later. Asking again is answered with 0. One that is being received meanwhile may come to its end after the reply.
 *
 * SLUICE_E_STORAGE_FULL, SLUICE_E_UNAVAILABLE: some are left, because rows cannot be written now, or because bytes are in a bucket that
 * the app's settings do not name any more; ask again.
 *
 * Method 2, find: what is known of uploads, for whoever links to them from what it keeps itself. Request, a JSON object:
 *
 *   {"ids":["upl_…","upl_…"]}
 *
 *   ids  1 to 100 of them; what is no upload's id is found nowhere
 *
 * Reply, a JSON object with those that are whole, in no order:
 *
 *   {"uploads":[{"id":"upl_…","user_id":"alice","name":"cat.png","type":"image/png","size":48211,"width":640,"height":480,
 *                "url":"/v1/uploads/…","thumb_url":"/v1/uploads/…"}]}
 *
 *   user_id     whose it is: whether somebody may link to it is the caller's to decide
 *   name        what its user called it; absent where he has not
 *   type, size  the media type, as its bytes have it, and how many there are
 *   width, height  of an image, in pixels; absent where they are not known
 *   url         where its bytes are, below the gateway's address, for whoever has it, as long as the upload is there. It may be
 *               kept, in a history too: it does not expire, and the same upload always has the same
 *   thumb_url   likewise of a small image of an image; absent where there is none
 *
 * Method 3, remove: deletes uploads of a user that nothing links to any more. Request, a JSON object:
 *
 *   {"user_id":"alice","ids":["upl_…"]}
 *
 *   ids  1 to 100 of them; those that are not the user's stay
 *
 * Reply, a JSON object: {"deleted":1}, as of method 1, with what fails there too.
 *
 * SLUICE_E_INVALID: the request of a method is not such an object, or names more.
 */
#ifndef SLUICE_SERVICES_UPLOADS_H
#define SLUICE_SERVICES_UPLOADS_H

#include "../types.h"

#define SLUICE_SERVICE_UPLOADS "sluice.uploads/1"
#define SLUICE_UPLOADS_ERASE 1u
#define SLUICE_UPLOADS_FIND 2u
#define SLUICE_UPLOADS_REMOVE 3u

#endif
