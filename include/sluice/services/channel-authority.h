/*
 * Service sluice.channel-authority/1: who may do what in a channel. Keyed by namespace: `chat` answers for "chat:…".
 *
 * Whoever owns sockets asks it before a subscription and before a publication by a client.
 *
 * Method 1, authorize. Request, a JSON object:
 *
 *   {"channel":"chat:messaging:general","action":"subscribe|publish|presence|history",
 *    "principal":{"kind":"user","id":"alice","scopes":["…"]}}
 *
 * Reply, a JSON object: {"allow":true} or {"allow":false,"reason":"…"}; the reason is for people. To "subscribe" the
 * reply may have "options":{"presence":true,"join_leave":true}: who listens is then known, and those who listen hear
 * who comes and goes; both are false unless said.
 *
 * An authority that takes back what it has allowed publishes, through sluice.bus/1 and after the commit that took it back, in the channel
 * SLUICE_CHANNEL_AUTHORITY_ENDINGS, which no client can name:
 *
 *   {"channel":"chat:messaging:general","user":"alice"}
 *
 * Whoever owns sockets then ends the user's subscriptions to the channel, or everybody's where `user` is absent, those too
 * for which it has been answered and that are still being made. A client that subscribes again has it asked anew.
 *
 * A channel whose namespace has no authority, and is in no settings of whoever owns the sockets, is refused.
 */
#ifndef SLUICE_SERVICES_CHANNEL_AUTHORITY_H
#define SLUICE_SERVICES_CHANNEL_AUTHORITY_H

#include "../types.h"

#define SLUICE_SERVICE_CHANNEL_AUTHORITY "sluice.channel-authority/1"
#define SLUICE_CHANNEL_AUTHORITY_AUTHORIZE 1u
#define SLUICE_CHANNEL_AUTHORITY_ENDINGS "@subscriptions"

#endif
