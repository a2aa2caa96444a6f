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
 */
#ifndef SLUICE_SERVICES_UPLOADS_H
#define SLUICE_SERVICES_UPLOADS_H

#include "../types.h"

#define SLUICE_SERVICE_UPLOADS "sluice.uploads/1"
#define SLUICE_UPLOADS_ERASE 1u

#endif
