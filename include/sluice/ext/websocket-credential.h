/*
 * sluice.websocket-credential/1 (plugin): sockets whose credential comes in the first message.
 *
 * Browsers can set no header fields on a WebSocket, and many clients send their token as the first thing. A socket that
 * the manifest declares with "credential": "first-message" may be opened without one: the host then accepts the
 * handshake by itself, keeps the first message (at most 64 KiB, or the socket's `message_limit` if that is less) for at
 * most limits.header_timeout_ms, asks the plugin where in it the credential is, finds tenant and principal by
 * it, and only then calls `open` of sluice.websocket-handler/1 on that tenant's shard, and `message` with the message
 * that was kept. A peer that shows its credential in the handshake is not asked again.
 *
 * The functions here belong to no tenant and keep nothing: they may run on several loops at once, and `refusal` also while
 * another function of the plugin is being called, such as an `open` that answers the request.
 */
#ifndef SLUICE_EXT_WEBSOCKET_CREDENTIAL_H
#define SLUICE_EXT_WEBSOCKET_CREDENTIAL_H

#include "../types.h"
#include "../status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_WEBSOCKET_CREDENTIAL "sluice.websocket-credential/1"

typedef struct sluice_websocket_credential_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Finds the credential in a first message and hands it to `put`, once. `handler` as in sluice.websocket-handler/1,
     * `kind` SLUICE_MESSAGE_…. SLUICE_OK without a call of `put`: there is none in it, so the peer is nobody in
     * particular, which the socket's `auth` may allow; the tenant is then found by host name or `?app=`. A negative
     * status refuses the peer. [loop-thread & LOADED]
     */
    sluice_status_t (*SLUICE_NONNULL credential_of)(uint32_t handler, uint32_t kind, sluice_slice_t message,
                                                    sluice_sink_fn SLUICE_NONNULL put, uint64_t sink);
    /*
     * The host refuses the peer: says what to tell it. `why` is what a request would be refused for:
     * SLUICE_E_UNAUTHENTICATED, SLUICE_E_EXPIRED, SLUICE_E_DENIED, SLUICE_E_NOT_FOUND (of the tenant, or of the socket in
     * it), SLUICE_E_LIMITED, SLUICE_E_DEADLINE (nothing came), SLUICE_E_UNAVAILABLE, or what `credential_of` or `open`
     * returned. `message` is absent if none has come. What is handed to `put` is sent as one text message; then the
     * connection is closed with the code that is returned, 3000–4999, and `reason`, at most 123 bytes of UTF-8 that live
     * for ever, if it is not left absent. [loop-thread & LOADED]
     */
    uint32_t (*SLUICE_NONNULL refusal)(uint32_t handler, uint32_t kind, sluice_slice_t message, sluice_status_t why,
                                       sluice_sink_fn SLUICE_NONNULL put, uint64_t sink,
                                       sluice_slice_t *SLUICE_NONNULL reason);
} sluice_websocket_credential_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_websocket_credential_v1_t) == 24, "websocket credential table layout");

#ifdef __cplusplus
}
#endif
#endif
