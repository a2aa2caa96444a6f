/*
 * sluice.websocket/1 (host) and sluice.websocket-handler/1 (plugin): owning sockets.
 *
 * Sockets are declared in the manifest under `sockets`. The host does the handshake, framing, fragmentation, UTF-8
 * checks, pings of the protocol, the closing handshake (RFC 6455) and compression (RFC 7692); the plugin sees whole
 * messages as they are uncompressed. An idle connection costs the plugin its one 64-bit context and nothing else.
 */
#ifndef SLUICE_EXT_WEBSOCKET_H
#define SLUICE_EXT_WEBSOCKET_H

#include "../host.h"
#include "../principal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_WEBSOCKET "sluice.websocket/1"
#define SLUICE_EXT_WEBSOCKET_HANDLER "sluice.websocket-handler/1"

#define SLUICE_MESSAGE_TEXT 1u   /* valid UTF-8 */
#define SLUICE_MESSAGE_BINARY 2u

typedef struct sluice_websocket_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Queues one message; the bytes are copied. SLUICE_E_OVERLOADED: the connection's queue has passed its bound;
     * the host closes it with 3008 ("slow", resumable). SLUICE_E_STALE: gone or closing. What is sent in `open` waits
     * behind the answer to the handshake, in the same queue.
     * Off the loop's thread the message is carried over. [any-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL send)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t connection,
                                           uint32_t kind, sluice_slice_t message);
    /* Starts the closing handshake; `closed` follows. `code` 1000 or 3000–4999, `reason` at most 123 bytes of
     * UTF-8. [loop-thread & ACTIVE|DRAINING] */
    sluice_status_t (*SLUICE_NONNULL close)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t connection,
                                            uint32_t code, sluice_slice_t reason);
    /* Bytes queued and not yet taken by the kernel; 0 when stale. [loop-thread & ACTIVE|DRAINING] */
    uint64_t (*SLUICE_NONNULL queued)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t connection);
    /* Who opened the connection. As sluice.http/1 `principal`. [loop-thread & ACTIVE|DRAINING] */
    sluice_status_t (*SLUICE_NONNULL principal)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                                sluice_token_t connection,
                                                sluice_principal_v1_t *SLUICE_NONNULL principal);
} sluice_websocket_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_websocket_v1_t) == 40, "websocket table layout");

typedef struct sluice_websocket_handler_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /* As in sluice.http-handler/1, for the names under `sockets`. [control-thread & LOADED] */
    sluice_status_t (*SLUICE_NONNULL resolve)(sluice_slice_t name, uint32_t *SLUICE_NONNULL handler);
    /*
     * A peer asks to open a connection and may. `request` is the handshake's request, readable through
     * sluice.http/1 until this returns. SLUICE_OK accepts: the host answers 101, and what was stored in *context
     * comes with every later call; messages may be sent from here on. A negative status refuses with the problem
     * that belongs to it, or with the answer that the plugin gave through sluice.http/1; then `connection` is dead
     * and `closed` is not called. [loop-thread & ACTIVE]
     */
    sluice_status_t (*SLUICE_NONNULL open)(uint64_t shard, uint32_t handler, sluice_token_t request,
                                           sluice_token_t connection, uint64_t *SLUICE_NONNULL context);
    /* A whole message, at most the manifest's `message_limit` bytes. `handler` as in `open`.
     * [loop-thread & ACTIVE|DRAINING] */
    void (*SLUICE_NONNULL message)(uint64_t shard, uint32_t handler, uint64_t context, sluice_token_t connection,
                                   uint32_t kind, sluice_slice_t message);
    /*
     * The connection has ended, by whichever side; the last call for it. `code` is the peer's close code, 1005 if
     * it gave none, 1006 if the connection was cut (RFC 6455 §7.4.1). [loop-thread & ACTIVE|DRAINING]
     */
    void (*SLUICE_NONNULL closed)(uint64_t shard, uint32_t handler, uint64_t context, sluice_token_t connection,
                                  uint32_t code, sluice_slice_t reason);
} sluice_websocket_handler_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_websocket_handler_v1_t) == 40, "websocket handler table layout");

#ifdef __cplusplus
}
#endif
#endif
