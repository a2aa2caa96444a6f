/*
 * Service sluice.webhook-transform/1: what of an event goes to an endpoint. Keyless: one provider per tenant.
 *
 * Who delivers events asks it, where a tenant's settings want that, before each attempt: so the answer for one event and
 * endpoint must be the same however often it is asked for.
 *
 * Method 1, transform. Request, a JSON object:
 *
 *   {"endpoint":{"id":"whk_…","url":"https://shop.example/hooks"},
 *    "event":{"id":"evt_…","type":"chat.message.created","timestamp":"…","channel":"chat:messaging:general","data":{…}}}
 *
 *   channel  left out where the event has none
 *   data     as the endpoint would get it
 *
 * Reply, a JSON object, one of:
 *
 *   {"action":"pass"}
 *   {"action":"rewrite","data":{…}}    stands in place of the event's data
 *   {"action":"drop"}                  the endpoint does not get the event, which counts as taken
 *
 * A reply that is none of these, a status of failure and no provider at all are the same: nothing is sent, the endpoint is not
 * to blame, and the provider is asked again a little later.
 */
#ifndef SLUICE_SERVICES_WEBHOOK_TRANSFORM_H
#define SLUICE_SERVICES_WEBHOOK_TRANSFORM_H

#include "../types.h"

#define SLUICE_SERVICE_WEBHOOK_TRANSFORM "sluice.webhook-transform/1"
#define SLUICE_WEBHOOK_TRANSFORM_TRANSFORM 1u

#endif
