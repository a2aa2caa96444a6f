#include "websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "socket.h"

enum { ASKED_AT_ONCE = 128 }; /* well under a listener's usual backlog */

/* The key and the accept of section 1.3; a load has no need of an unpredictable one. */
static const char handshake[] =
    "GET %s HTTP/1.1\r\nhost: %s:%u\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n%s\r\n";
static const char offer[] = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

static _Noreturn void refuse(const char *what, const char *detail) {
  fprintf(stderr, "loadgen: WebSocket handshake: %s: %.*s\n", what, (int)strcspn(detail, "\r\n"), detail);
  exit(1);
}

/* Reads up to the end of the head and no further: what follows may be a frame already. */
static void read_head(int descriptor, char *head, size_t capacity) {
  size_t length = 0;
  for (;;) {
    ssize_t seen = recv(descriptor, head + length, capacity - 1 - length, MSG_PEEK);
    if (seen <= 0) refuse("no whole answer", "closed, reset or silent for 5 s");
    head[length + (size_t)seen] = 0;
    char *end = strstr(head, "\r\n\r\n");
    size_t take = end ? (size_t)(end + 4 - head) - length : (size_t)seen;
    if (recv(descriptor, head + length, take, 0) != (ssize_t)take) refuse("short read", "");
    length += take;
    head[length] = 0;
    if (end) return;
    if (length + 1 >= capacity) refuse("the head is too long", head);
  }
}

static void ask(const struct options *options, int descriptor) {
  char head[4096];
  int length = snprintf(head, sizeof head, handshake, options->path, options->host, options->port,
                        options->deflate ? offer : "");
  if (length >= (int)sizeof head) refuse("the path is too long", options->path);
  if (socket_write(descriptor, head, (size_t)length) != 0) refuse("write failed", strerror(errno));
}

static void hear(const struct options *options, int descriptor) {
  char head[4096];
  read_head(descriptor, head, sizeof head);
  if (strncmp(head, "HTTP/1.1 101 ", 13) != 0) refuse("not a 101", head);
  if (options->deflate && strstr(head, "permessage-deflate") == NULL) refuse("compression is not agreed", head);
  if (strstr(head, accepted) == NULL) refuse("wrong Sec-WebSocket-Accept", head);
  socket_make_nonblocking(descriptor);
}

void ws_connect(const struct options *options, int *descriptors, unsigned count) {
  for (unsigned start = 0; start < count; start += ASKED_AT_ONCE) {
    unsigned end = count - start < ASKED_AT_ONCE ? count : start + ASKED_AT_ONCE;
    for (unsigned i = start; i < end; i++) {
      descriptors[i] = socket_connect(options, i);
      ask(options, descriptors[i]);
    }
    for (unsigned i = start; i < end; i++) hear(options, descriptors[i]);
  }
}

enum ws_outcome ws_read(struct ws_frame *frame, const uint8_t *bytes, uint32_t length) {
  if (length < 2) return WS_PARTIAL;
  uint32_t head = 2, payload = bytes[1];
  if ((bytes[0] & 0xf0) != 0x80 || payload > 127) return WS_INVALID;
  if (payload == 126) {
    if (length < 4) return WS_PARTIAL;
    head = 4;
    payload = (uint32_t)bytes[2] << 8 | bytes[3];
  } else if (payload == 127) {
    if (length < 10) return WS_PARTIAL;
    head = 10;
    if ((bytes[2] | bytes[3] | bytes[4] | bytes[5] | bytes[6]) != 0) return WS_INVALID;
    payload = (uint32_t)bytes[7] << 16 | (uint32_t)bytes[8] << 8 | bytes[9];
    if (payload > 128 * 1024) return WS_INVALID;
  }
  frame->opcode = bytes[0] & 0x0f;
  frame->head_bytes = head;
  frame->payload_bytes = payload;
  return length - head < payload ? WS_PARTIAL : WS_COMPLETE;
}

size_t ws_render(uint8_t *out, uint8_t opcode, const uint8_t *payload, uint32_t length) {
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t at = 0;
  out[at++] = (uint8_t)(0x80 | opcode);
  if (length < 126) out[at++] = (uint8_t)(0x80 | length);
  else if (length < 65536) {
    out[at++] = 0x80 | 126;
    out[at++] = (uint8_t)(length >> 8);
    out[at++] = (uint8_t)length;
  } else {
    out[at++] = 0x80 | 127;
    for (int shift = 56; shift >= 0; shift -= 8) out[at++] = (uint8_t)((uint64_t)length >> shift);
  }
  memcpy(out + at, mask, 4);
  at += 4;
  for (uint32_t i = 0; i < length; i++) out[at++] = payload[i] ^ mask[i & 3];
  return at;
}

int ws_pong(int descriptor, const uint8_t *payload, uint32_t length) {
  uint8_t out[WS_HEAD_BYTES + 125];
  if (length > 125) length = 125;
  return socket_write(descriptor, out, ws_render(out, WS_PONG, payload, length));
}
