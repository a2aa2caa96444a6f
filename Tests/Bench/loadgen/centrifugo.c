#include "centrifugo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "inbox.h"
#include "modes.h"
#include "socket.h"
#include "websocket.h"

enum { NUMBER_DIGITS = 16, PATIENCE_MILLISECONDS = 30000 };

struct joining {
  int descriptor;
  int is_done;
  struct remainder remainder;
};

static struct inbox inbox;

static _Noreturn void refuse(const char *what, const uint8_t *line, uint32_t length) {
  fprintf(stderr, "loadgen: Centrifugo: %s: %.*s\n", what, (int)(length > 400 ? 400 : length),
          (const char *)line);
  exit(1);
}

int centrifugo_is_spoken(const struct options *options) { return options->token != NULL; }

int centrifugo_pong(int descriptor) {
  uint8_t out[WS_HEAD_BYTES + 2];
  return socket_write(descriptor, out, ws_render(out, WS_TEXT, (const uint8_t *)"{}", 2));
}

/* The n-th client's channel: one for all, or one of `channels` in turn. */
static int write_channel(char *out, size_t capacity, const struct options *options, unsigned index) {
  if (options->channels == 0) return snprintf(out, capacity, "%s", options->channel);
  return snprintf(out, capacity, "%s%u", options->channel, index % options->channels);
}

/* The n-th client's token, which is all of them or a line of theirs. */
static const char *token_of(const struct options *options, unsigned index, int *length) {
  static const char *next;
  *length = (int)strlen(options->token);
  if (options->tokens == NULL) return options->token;
  if (index == 0 || next == NULL || *next == 0) next = options->tokens;
  const char *token = next;
  *length = (int)strcspn(token, "\n");
  next += *length;
  if (*next == '\n') next++;
  return token;
}

static void ask(const struct options *options, int descriptor, unsigned index) {
  char text[4096], channel[256], position[128] = "";
  write_channel(channel, sizeof channel, options, index);
  if (options->expect_missed > 0)
    snprintf(position, sizeof position, ",\"recover\":true,\"offset\":%" PRIu64 ",\"epoch\":\"%s\"",
             options->since, options->epoch);
  int length;
  const char *token = token_of(options, index, &length);
  length = snprintf(text, sizeof text, "{\"id\":1,\"connect\":{\"token\":\"%.*s\"}}", length, token);
  uint8_t frames[sizeof text + 2 * WS_HEAD_BYTES + 512];
  if (length >= (int)sizeof text) refuse("the token is too long", (const uint8_t *)"", 0);
  size_t bytes = ws_render(frames, WS_TEXT, (const uint8_t *)text, (uint32_t)length);
  length = snprintf(text, sizeof text, "{\"id\":2,\"subscribe\":{\"channel\":\"%s\"%s}}", channel, position);
  bytes += ws_render(frames + bytes, WS_TEXT, (const uint8_t *)text, (uint32_t)length);
  if (socket_write(descriptor, frames, bytes) != 0) refuse(strerror(errno), (const uint8_t *)"", 0);
}

static const char *find(const uint8_t *line, uint32_t length, const char *text) {
  return memmem(line, length, text, strlen(text));
}

/* Whether the reply holds the publications that were missed: all of them, once each, in order. */
static int is_exact(const struct options *options, const uint8_t *line, uint32_t length) {
  const char *end = (const char *)line + length, *next = find(line, length, "\"publications\":[");
  if (next == NULL || find(line, length, "\"recovered\":true") == NULL) return 0;
  const char *last = memchr(next, ']', (size_t)(end - next));
  if (last == NULL) return 0;
  uint64_t offset = options->since;
  for (;;) {
    const char *place = memmem(next, (size_t)(last - next), "\"offset\":", 9);
    if (place == NULL) break;
    if (strtoull(place + 9, NULL, 10) != ++offset) return 0;
    next = place + 9;
  }
  return offset == options->since + options->expect_missed;
}

/* 1 when the client listens now. */
static int has_joined(const struct options *options, struct joining *client, struct report *report) {
  ssize_t count = inbox_read(&inbox, &client->remainder, client->descriptor);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (count <= 0) refuse("the server closed a connection", (const uint8_t *)"", 0);
  const uint8_t *next = inbox.bytes;
  uint32_t left = (uint32_t)count;
  int joined = 0;
  struct ws_frame frame;
  while (left > 0) {
    enum ws_outcome outcome = ws_read(&frame, next, left);
    if (outcome == WS_PARTIAL) break;
    const uint8_t *payload = next + frame.head_bytes, *line;
    uint32_t rest = frame.payload_bytes, length;
    if (outcome == WS_INVALID || frame.opcode == WS_CLOSE) refuse("closed", payload, rest);
    while (frame.opcode == WS_TEXT && rest > 0) {
      enum centrifugo_line kind = centrifugo_next(&payload, &rest, &line, &length);
      if (kind == CENTRIFUGO_PING) centrifugo_pong(client->descriptor);
      if (kind != CENTRIFUGO_REPLY) continue;
      if (find(line, length, "\"error\":") != NULL) refuse("refused", line, length);
      if (find(line, length < 10 ? length : 10, "{\"id\":2,") == NULL) continue;
      joined = 1;
      if (options->expect_missed > 0 && !is_exact(options, line, length))
        report_error(report, 1, "a client did not get exactly what it had missed");
      else report->requests++;
    }
    next += frame.head_bytes + frame.payload_bytes;
    left -= frame.head_bytes + frame.payload_bytes;
  }
  if (left > 0) inbox_keep(&client->remainder, next, left);
  return joined;
}

void centrifugo_join(const struct options *options, const int *descriptors, unsigned first, unsigned count,
                     struct report *report) {
  struct joining *clients = calloc(count, sizeof *clients);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (clients == NULL || epoll < 0) abort();
  for (unsigned i = 0; i < count; i++) {
    clients[i].descriptor = descriptors[i];
    socket_watch(epoll, descriptors[i], &clients[i]);
    ask(options, descriptors[i], first + i);
  }
  struct epoll_event events[EVENTS_AT_ONCE];
  for (unsigned missing = count; missing > 0;) {
    int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, PATIENCE_MILLISECONDS);
    if (ready == 0) refuse("no reply for 30 s", (const uint8_t *)"", 0);
    for (int i = 0; i < ready; i++) {
      struct joining *client = events[i].data.ptr;
      if (client->is_done || !has_joined(options, client, report)) continue;
      client->is_done = 1;
      missing--;
      epoll_ctl(epoll, EPOLL_CTL_DEL, client->descriptor, NULL);
    }
  }
  for (unsigned i = 0; i < count; i++) free(clients[i].remainder.bytes);
  free(clients);
  close(epoll);
}

size_t centrifugo_publish(uint8_t *out, const struct options *options, uint64_t number) {
  char text[CENTRIFUGO_HEAD_BYTES + 65536];
  uint64_t id = number % 4000000000u + 3;
  int length =
      options->rpc == NULL
          ? snprintf(text, sizeof text, "{\"id\":%" PRIu64 ",\"publish\":{\"channel\":\"%s\",\"data\":\"%016" PRIx64,
                     id, options->channel, number)
          : snprintf(text, sizeof text,
                     "{\"id\":%" PRIu64 ",\"rpc\":{\"method\":\"%s\",\"data\":{\"channel\":\"%s\",\"text\":\"%016" PRIx64,
                     id, options->rpc, options->channel, number);
  memset(text + length, 'x', options->message_bytes - NUMBER_DIGITS);
  length += (int)options->message_bytes - NUMBER_DIGITS;
  memcpy(text + length, "\"}}}", 4);
  return ws_render(out, WS_TEXT, (const uint8_t *)text, (uint32_t)length + (options->rpc == NULL ? 3 : 4));
}

enum centrifugo_line centrifugo_next(const uint8_t **payload, uint32_t *left, const uint8_t **line,
                                     uint32_t *length) {
  const uint8_t *end = memchr(*payload, '\n', *left);
  *line = *payload;
  *length = end ? (uint32_t)(end - *payload) : *left;
  uint32_t used = *length + (end ? 1 : 0);
  *payload += used;
  *left -= used;
  if (*length == 2 && memcmp(*line, "{}", 2) == 0) return CENTRIFUGO_PING;
  if (*length > 6 && memcmp(*line, "{\"id\":", 6) == 0) return CENTRIFUGO_REPLY;
  if (*length > 8 && memcmp(*line, "{\"push\":", 8) == 0) return CENTRIFUGO_PUBLICATION;
  return CENTRIFUGO_OTHER;
}

uint64_t centrifugo_number(const struct options *options, const uint8_t *line, uint32_t length) {
  const char *head = options->rpc == NULL ? "\"pub\":{\"data\":\"" : "\"text\":\"";
  const char *data = find(line, length, head), *end = (const char *)line + length;
  if (data == NULL) return UINT64_MAX;
  data += strlen(head);
  if (end - data <= (ptrdiff_t)options->message_bytes || data[options->message_bytes] != '"') return UINT64_MAX;
  uint64_t number = 0;
  for (unsigned i = 0; i < NUMBER_DIGITS; i++) {
    char digit = data[i];
    if (digit >= '0' && digit <= '9') number = number << 4 | (uint64_t)(digit - '0');
    else if (digit >= 'a' && digit <= 'f') number = number << 4 | (uint64_t)(digit - 'a' + 10);
    else return UINT64_MAX;
  }
  for (unsigned i = NUMBER_DIGITS; i < options->message_bytes; i++)
    if (data[i] != 'x') return UINT64_MAX;
  return number;
}
