#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "centrifugo.h"
#include "clock.h"
#include "inbox.h"
#include "modes.h"
#include "socket.h"
#include "websocket.h"

enum { MOST_IN_FLIGHT = 1024 };

struct fan_connection {
  int descriptor;
  uint64_t next; /* the number of the message it must see next */
  struct remainder remainder;
};

struct fan_load {
  const struct options *options;
  struct report *report;
  struct fan_connection *publisher;
  uint64_t published, deadline;
  uint8_t *payload, *frames;
  uint64_t sent_at[MOST_IN_FLIGHT]; /* by message number modulo the window */
  unsigned open;
};

static struct inbox inbox;

static void lose(struct fan_load *load, struct fan_connection *connection, const char *why) {
  report_error(load->report, 1, "%s, at message %" PRIu64, why, connection->next);
  close(connection->descriptor);
  connection->descriptor = -1;
  load->open--;
}

static size_t render(struct fan_load *load, uint8_t *out, uint64_t number) {
  if (centrifugo_is_spoken(load->options)) return centrifugo_publish(out, load->options, number);
  memcpy(load->payload, &number, sizeof number);
  return ws_render(out, WS_BINARY, load->payload, load->options->message_bytes);
}

/* When the next message is due. With `rate` its latency counts from then, so that a stall is not left out. */
static uint64_t due(const struct fan_load *load) {
  if (load->options->rate == 0) return 0;
  return load->report->started + (uint64_t)((double)load->published * 1e9 / load->options->rate);
}

/* Nanoseconds until something is due; a millisecond for what is due while too many are in flight. */
static uint64_t patience(const struct fan_load *load, uint64_t now) {
  if (load->options->rate == 0 || now >= load->deadline) return 100000000;
  return due(load) > now ? due(load) - now : 1000000;
}

/* Tops up to `pipeline` in flight, all in one write, or to what is due. A payload begins with its number. */
static void publish(struct fan_load *load, uint64_t now) {
  if (now >= load->deadline || load->publisher->descriptor < 0) return;
  size_t bytes = 0;
  while (load->published - load->publisher->next < load->options->pipeline && due(load) <= now) {
    bytes += render(load, load->frames + bytes, load->published);
    load->sent_at[load->published % MOST_IN_FLIGHT] = load->options->rate > 0 ? due(load) : now;
    load->published++;
  }
  if (bytes > 0 && socket_write(load->publisher->descriptor, load->frames, bytes) != 0)
    lose(load, load->publisher, strerror(errno));
}

/* 1 when the message is the next one, in full. */
static int accept_message(struct fan_load *load, struct fan_connection *connection,
                          const struct ws_frame *frame, const uint8_t *payload) {
  uint64_t number;
  if (frame->opcode != WS_BINARY || frame->payload_bytes != load->options->message_bytes) return 0;
  memcpy(&number, payload, sizeof number);
  if (number != connection->next) return 0;
  return memcmp(payload + sizeof number, load->payload + sizeof number,
                frame->payload_bytes - sizeof number) == 0;
}

static void count(struct fan_load *load, struct fan_connection *connection, uint64_t now) {
  if (connection == load->publisher)
    histogram_add(&load->report->latency, now - load->sent_at[connection->next % MOST_IN_FLIGHT]);
  else load->report->requests++;
  connection->next++;
}

/* The lines of one message: 1 when all of its publications are the next ones. */
static int accept_lines(struct fan_load *load, struct fan_connection *connection, const struct ws_frame *frame,
                        const uint8_t *payload, uint64_t now) {
  const uint8_t *line;
  uint32_t left = frame->payload_bytes, length;
  if (frame->opcode != WS_TEXT) return 0;
  while (left > 0) {
    switch (centrifugo_next(&payload, &left, &line, &length)) {
      case CENTRIFUGO_PING:
        if (centrifugo_pong(connection->descriptor) != 0) return 0;
        break;
      case CENTRIFUGO_REPLY:
        if (memmem(line, length, load->options->rpc == NULL ? "\"publish\":{}" : "\"rpc\":{\"data", 12) == NULL) return 0;
        break;
      case CENTRIFUGO_PUBLICATION:
        if (centrifugo_number(load->options, line, length) != connection->next) return 0;
        count(load, connection, now);
        break;
      case CENTRIFUGO_OTHER: return 0;
    }
  }
  return 1;
}

static void receive(struct fan_load *load, struct fan_connection *connection) {
  ssize_t got = inbox_read(&inbox, &connection->remainder, connection->descriptor);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    lose(load, connection, "the server closed a connection");
    return;
  }
  uint64_t now = connection == load->publisher ? clock_now() : 0;
  const uint8_t *next = inbox.bytes;
  uint32_t left = (uint32_t)got;
  struct ws_frame frame;
  while (left > 0) {
    enum ws_outcome outcome = ws_read(&frame, next, left);
    if (outcome == WS_PARTIAL) break;
    const uint8_t *payload = next + frame.head_bytes;
    if (outcome == WS_COMPLETE && frame.opcode == WS_PING) {
      if (ws_pong(connection->descriptor, payload, frame.payload_bytes) != 0) {
        lose(load, connection, strerror(errno));
        return;
      }
    } else if (outcome == WS_COMPLETE && frame.opcode == WS_CLOSE) {
      lose(load, connection, "the server sent a close frame");
      return;
    } else if (outcome == WS_INVALID ||
               (centrifugo_is_spoken(load->options) ? !accept_lines(load, connection, &frame, payload, now)
                                                    : !accept_message(load, connection, &frame, payload))) {
      lose(load, connection, "a message missing, repeated, out of order or altered");
      return;
    } else if (!centrifugo_is_spoken(load->options)) count(load, connection, now);
    next += frame.head_bytes + frame.payload_bytes;
    left -= frame.head_bytes + frame.payload_bytes;
  }
  if (left > 0) inbox_keep(&connection->remainder, next, left);
  if (connection == load->publisher) publish(load, now);
}

static uint64_t still_missing(const struct fan_load *load, const struct fan_connection *connections) {
  uint64_t missing = 0;
  for (unsigned i = 0; i <= load->options->connections; i++)
    if (connections[i].descriptor >= 0) missing += load->published - connections[i].next;
  return missing;
}

void ws_fan_run(const struct options *options, struct report *report) {
  struct fan_load load = {.options = options, .report = report};
  unsigned all = options->connections + 1;
  struct fan_connection *connections = calloc(all, sizeof *connections);
  load.publisher = &connections[options->connections];
  load.payload = malloc(options->message_bytes);
  load.frames = malloc((size_t)options->pipeline * (options->message_bytes + CENTRIFUGO_HEAD_BYTES));
  int *descriptors = calloc(all, sizeof *descriptors);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (connections == NULL || load.payload == NULL || load.frames == NULL || descriptors == NULL || epoll < 0)
    abort();
  memset(load.payload, 'x', options->message_bytes);
  ws_connect(options, descriptors, all);
  if (centrifugo_is_spoken(options)) {
    centrifugo_join(options, descriptors, 0, all, report);
    report->requests = 0;
  }
  for (unsigned i = 0; i < all; i++) {
    connections[i].descriptor = descriptors[i];
    socket_watch(epoll, connections[i].descriptor, &connections[i]);
  }
  load.open = all;
  usleep(200000); /* a 101 may come before the subscription has reached every loop */
  report_start(report);
  load.deadline = report->started + (uint64_t)(options->seconds * 1e9);
  uint64_t give_up = load.deadline + DRAIN_SECONDS * 1000000000ull;
  publish(&load, report->started);
  struct epoll_event events[EVENTS_AT_ONCE];
  for (uint64_t now = report->started; load.open > 0 && now < give_up; now = clock_now()) {
    if (now >= load.deadline && still_missing(&load, connections) == 0) break;
    if (options->rate > 0) publish(&load, now);
    int ready = socket_wait(epoll, events, EVENTS_AT_ONCE, patience(&load, now));
    for (int i = 0; i < ready; i++) receive(&load, events[i].data.ptr);
  }
  report_stop(report);
  uint64_t missing = still_missing(&load, connections);
  if (missing > 0) report_error(report, missing, "%" PRIu64 " deliveries never came", missing);
}
