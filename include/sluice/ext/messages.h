/*
 * sluice.messages/1 (host) and sluice.message-handler/1 (plugin): what clients say over sockets, to whichever plugin it
 * is for.
 *
 * A plugin declares in its manifest under `messages` what a client may say to it: type, schema, scopes. Whoever owns
 * the sockets takes such a message out of its own protocol and dispatches it: the host finds the tenant's plugin that
 * declares the type, checks scopes, counts it against the tenant's rate as a request, validates the data against the
 * schema, and hands it over with the identity of whoever sent it. Neither plugin knows the other.
 */
#ifndef SLUICE_EXT_MESSAGES_H
#define SLUICE_EXT_MESSAGES_H

#include "../host.h"
#include "../principal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_MESSAGES "sluice.messages/1"
#define SLUICE_EXT_MESSAGE_HANDLER "sluice.message-handler/1"

typedef struct sluice_messages_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Hands over what a client has said on `connection`, a WebSocket of the shard or a request that it has pending. `data`
     * is JSON, or absent for `{}`; both slices are copied. SLUICE_E_NOT_FOUND at once: no plugin of the tenant declares
     * `type`. SLUICE_E_STALE at once: the connection is gone. Through the completion: SLUICE_OK with the reply, which is
     * JSON; or a negative status with nothing, or with a JSON object {"code","detail","errors":[{"pointer","message"}]}
     * of which `errors` may be missing. SLUICE_E_INVALID: not as declared; SLUICE_E_DENIED: a scope is missing, or,
     * with the code "quota_exceeded", the tenant's plan lets it store no more and the manifest does not say "writes": false of the type;
     * SLUICE_E_EXPIRED: the
     * credential behind the connection is void, and has not been renewed (identify.h); SLUICE_E_LIMITED: over the tenant's rate;
     * SLUICE_E_DEADLINE after 10 s. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL dispatch)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t connection,
                                               sluice_slice_t type, sluice_slice_t data,
                                               sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * Gives the reply to a message, before or after the handler has returned; it is copied. SLUICE_OK with JSON, or with
     * nothing for `{}`; or a negative status with nothing or an object as above. A second reply, one after the deadline, and one
     * to somebody else's message are SLUICE_E_STALE; off the loop's thread the reply is carried over, and SLUICE_OK only
     * says that it is on its way. [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL reply)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t message,
                                            sluice_status_t status, sluice_slice_t reply);
    /*
     * Counts what a client asks the caller itself for over `connection`, as `dispatch` counts what it hands over: as a request
     * of whoever is behind it, and of the tenant. SLUICE_OK, or SLUICE_E_LIMITED: it is one too many, and is not to be
     * carried out. SLUICE_E_STALE: the connection is gone. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL admit)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t connection);
    /*
     * Counts messages of a client against the tenant's plan that the host does not see: those that have stood beside others
     * in one message of a WebSocket of the shard, which the host has counted as one; or all that has been said by whom a pending
     * request answers. SLUICE_OK; SLUICE_E_DENIED: the plan allows no more, and nothing of it is to be carried out; a WebSocket
     * has been closed by the host, a request is the plugin's to end. SLUICE_E_STALE: the connection is gone.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL count)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t connection,
                                            uint32_t messages);
} sluice_messages_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_messages_v1_t) == 40, "messages table layout");

typedef struct sluice_message_handler_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* The number under which `message` knows the handler that the manifest calls `name` under `messages`.
     * SLUICE_E_NOT_FOUND refuses the plugin at load, naming the place. [control-thread & LOADED] */
    sluice_status_t (*SLUICE_NONNULL resolve)(sluice_slice_t name, uint32_t *SLUICE_NONNULL handler);
    /*
     * A client has said something. `data` is as the schema says. Gives its reply through `reply` and returns SLUICE_OK; or
     * returns SLUICE_PENDING and replies later; or returns a negative status, which is the reply. What the arguments
     * lead to is borrowed until the return. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL message)(uint64_t shard, uint32_t handler,
                                              const sluice_principal_v1_t *SLUICE_NONNULL principal,
                                              sluice_slice_t type, sluice_slice_t data, sluice_token_t message);
} sluice_message_handler_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_message_handler_v1_t) == 24, "message handler table layout");

#ifdef __cplusplus
}
#endif
#endif
