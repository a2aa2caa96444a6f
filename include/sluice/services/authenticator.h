/*
 * Service sluice.authenticator/1: from a credential to a principal. Keyless: one provider per tenant.
 *
 * Only the host calls it, in the phase *identify*, once per credential: positive answers are kept per loop until
 * `expires_at` or until the tenant's credentials are revoked.
 *
 * Method 1, identify. Request, a JSON object:
 *
 *   {"kind":"bearer","credential":"eyJ…"}
 *       what a client sent as `Authorization: Bearer …`, as `?token=`, or among the WebSocket subprotocols
 *   {"kind":"key","credential":"sk_…","key":{"id":"key_…","scopes":["*"],"expires_at_ms":0}}
 *       a key that the host knows by its digest, with what was put beside it through sluice.tenants/1
 *   {"kind":"subscription","credential":"eyJ…"}
 *       what a client shows to listen to one channel: the claims must hold that channel under "channel". As "bearer" such
 *       a credential is none
 *
 * Reply, a JSON object:
 *
 *   {"kind":"account|key|user|anonymous","id":"…","scopes":["…"],"claims":{…},"expires_at_ms":0}
 *
 * "anonymous" with the id of a key is who shows a public key: that names an app and lets in where a route's `auth` has
 * "public", and nowhere else.
 *
 * SLUICE_E_UNAUTHENTICATED with a text in the reply says why for the log; the client is told no more than 401.
 * SLUICE_E_EXPIRED is for a credential that is genuine and has expired, so that a client knows to get another.
 * SLUICE_E_DENIED with a text in the reply is for a credential that is genuine and not good all the same, by its claims or
 * because it was revoked: the client is told 401 with that text, up to 200 bytes of it.
 */
#ifndef SLUICE_SERVICES_AUTHENTICATOR_H
#define SLUICE_SERVICES_AUTHENTICATOR_H

#include "../types.h"

#define SLUICE_SERVICE_AUTHENTICATOR "sluice.authenticator/1"
#define SLUICE_AUTHENTICATOR_IDENTIFY 1u

#endif
