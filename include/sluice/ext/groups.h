/*
 * sluice.groups/1 (host): sending one message to many connections.
 *
 * A group is a set of WebSocket connections of one shard. A message sent to a group is framed once, compressed once
 * where members have agreed on it, shared by all members, and written once per turn of the loop together with
 * everything else that the turn brought. A member that does not keep up is closed with 3008 ("slow"), which tells its
 * client to come back and resume.
 *
 * Groups are [loop-thread & ACTIVE|DRAINING] throughout. A connection that ends leaves all its groups by itself.
 */
#ifndef SLUICE_EXT_GROUPS_H
#define SLUICE_EXT_GROUPS_H

#include "websocket.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_GROUPS "sluice.groups/1"

typedef struct sluice_groups_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* A new, empty group; 0 when the shard has too many (65,536). */
    sluice_token_t (*SLUICE_NONNULL create)(const sluice_host_v1_t *SLUICE_NONNULL host);
    /* Forgets the group; its members stay connected. What was sent before is still delivered. */
    sluice_status_t (*SLUICE_NONNULL destroy)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t group);
    /* Adds a connection. Twice is once. SLUICE_E_STALE: one of the two is gone. It receives what is sent later. */
    sluice_status_t (*SLUICE_NONNULL add)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t group,
                                          sluice_token_t connection);
    /* Removes a connection. SLUICE_E_NOT_FOUND: it is not a member. */
    sluice_status_t (*SLUICE_NONNULL remove)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t group,
                                             sluice_token_t connection);
    /* Sends to every member. The bytes are copied once. */
    sluice_status_t (*SLUICE_NONNULL send)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t group,
                                           uint32_t kind, sluice_slice_t message);
    /* How many members there are; 0 when stale. */
    uint64_t (*SLUICE_NONNULL count)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t group);
} sluice_groups_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_groups_v1_t) == 56, "groups table layout");

#ifdef __cplusplus
}
#endif
#endif
