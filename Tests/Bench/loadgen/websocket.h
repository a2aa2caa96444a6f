/* The client's half of RFC 6455, as much as a load needs. */
#ifndef LOADGEN_WEBSOCKET_H
#define LOADGEN_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"

enum { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10, WS_HEAD_BYTES = 14 };

struct ws_frame {
  uint8_t opcode;
  uint32_t head_bytes, payload_bytes;
};

enum ws_outcome { WS_COMPLETE, WS_PARTIAL, WS_INVALID };

/* Fills `descriptors` with `count` connected, upgraded, non-blocking sockets (section 4.1), asking for many
   at once so that a server's wake-up delay is not paid for each. Exits with 1 when an answer is not a 101
   with the right Sec-WebSocket-Accept. */
void ws_connect(const struct options *options, int *descriptors, unsigned count);

/* Reads a whole server frame from the front of `bytes`. Masked, reserved, fragmented or over 128 KiB is
   WS_INVALID (section 5.2; no extension is negotiated here). */
enum ws_outcome ws_read(struct ws_frame *frame, const uint8_t *bytes, uint32_t length);

/* Renders a masked, final frame (section 5.3) into `out`, which holds WS_HEAD_BYTES more than the payload.
   Returns the bytes written. */
size_t ws_render(uint8_t *out, uint8_t opcode, const uint8_t *payload, uint32_t length);

/* Answers a ping (section 5.5.3). 0, or -1 with errno. */
int ws_pong(int descriptor, const uint8_t *payload, uint32_t length);

#endif
