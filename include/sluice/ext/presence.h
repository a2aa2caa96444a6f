/*
 * sluice.presence/1 (host): who is in a channel.
 *
 * A member is one client, usually a connection, under a name that its owner chose, with the user behind it and a few
 * bytes that say more. All loops of the process see the same members.
 *
 * A member lives until `leave`, and no longer than the shard that brought it in: each shard holds a lease that the
 * host renews for it. When the shard closes, or its loop stands still for longer than the lease lasts (30 s), its
 * members are gone; a loop that goes on after that has its members back.
 *
 * A member that is announced is told of to whoever has subscribed to the channel (bus.h): an ephemeral event of the
 * type SLUICE_PRESENCE_JOINED when it comes and SLUICE_PRESENCE_LEFT when it goes, however it goes, with the member's
 * `info` as data. No plugin can publish under these types.
 *
 * [loop-thread & ACTIVE|DRAINING] throughout.
 */
#ifndef SLUICE_EXT_PRESENCE_H
#define SLUICE_EXT_PRESENCE_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_PRESENCE "sluice.presence/1"

#define SLUICE_PRESENCE_JOINED "sluice.presence.joined"
#define SLUICE_PRESENCE_LEFT "sluice.presence.left"

/* Flag of `join`: the member is announced. */
#define SLUICE_PRESENCE_ANNOUNCE 1u

typedef struct sluice_presence_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Brings a member in. `client` names it among the channel's members and `user` says who it is, 1–255 bytes of
     * UTF-8 each; `info` is at most 4 KiB, JSON where it is announced. All three are copied. SLUICE_E_CONFLICT: the
     * channel has a member of that name. SLUICE_E_OVERLOADED: the tenant has 1,000,000 members already.
     */
    sluice_status_t (*SLUICE_NONNULL join)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                           sluice_slice_t client, sluice_slice_t user, sluice_slice_t info,
                                           uint32_t flags);
    /* Lets a member go that this shard brought in. SLUICE_E_NOT_FOUND: it has no such member. */
    sluice_status_t (*SLUICE_NONNULL leave)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                            sluice_slice_t client);
    /*
     * Lists members in the order of their names, those above `after` (absent: all), at most `limit` (1–1,000). The
     * completion's result is a row block (ext/store.h) with the columns client, user, info, joined_ms.
     */
    sluice_status_t (*SLUICE_NONNULL list)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                           sluice_slice_t after, uint32_t limit,
                                           sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* Counts. The completion's result is a row block of one row with the columns clients, users. */
    sluice_status_t (*SLUICE_NONNULL stats)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_slice_t channel,
                                            sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
} sluice_presence_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_presence_v1_t) == 40, "presence table layout");

#ifdef __cplusplus
}
#endif
#endif
