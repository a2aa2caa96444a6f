#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "inbox.h"
#include "modes.h"
#include "socket.h"
#include "websocket.h"

struct echo_connection {
  int descriptor;
  int awaits;
  uint64_t sent_at;
  struct remainder remainder;
};

struct echo_load {
  const struct options *options;
  struct report *report;
  uint8_t *payload, *frame;
  size_t frame_bytes;
  uint64_t deadline;
  unsigned busy;
};

static struct inbox inbox;

static void lose(struct echo_load *load, struct echo_connection *connection, const char *why) {
  report_error(load->report, 1, "%s", why);
  if (connection->awaits) load->busy--;
  connection->awaits = 0;
  close(connection->descriptor);
  connection->descriptor = -1;
}

static void send_message(struct echo_load *load, struct echo_connection *connection, uint64_t now) {
  if (now >= load->deadline) return;
  if (socket_write(connection->descriptor, load->frame, load->frame_bytes) != 0) {
    lose(load, connection, strerror(errno));
    return;
  }
  connection->sent_at = now;
  connection->awaits = 1;
  load->busy++;
}

static void receive(struct echo_load *load, struct echo_connection *connection) {
  ssize_t count = inbox_read(&inbox, &connection->remainder, connection->descriptor);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    lose(load, connection, "the server closed a connection");
    return;
  }
  uint64_t now = clock_now();
  const uint8_t *next = inbox.bytes;
  uint32_t left = (uint32_t)count;
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
    } else if (outcome == WS_INVALID || frame.opcode != WS_BINARY || !connection->awaits ||
               frame.payload_bytes != load->options->message_bytes ||
               memcmp(payload, load->payload, frame.payload_bytes) != 0) {
      lose(load, connection, "an echo unlike the message sent");
      return;
    } else {
      load->report->requests++;
      histogram_add(&load->report->latency, now - connection->sent_at);
      connection->awaits = 0;
      load->busy--;
    }
    next += frame.head_bytes + frame.payload_bytes;
    left -= frame.head_bytes + frame.payload_bytes;
  }
  if (left > 0) inbox_keep(&connection->remainder, next, left);
  if (!connection->awaits) send_message(load, connection, now);
}

void ws_echo_run(const struct options *options, struct report *report) {
  struct echo_load load = {.options = options, .report = report};
  load.payload = malloc(options->message_bytes);
  load.frame = malloc(options->message_bytes + WS_HEAD_BYTES);
  struct echo_connection *connections = calloc(options->connections, sizeof *connections);
  int *descriptors = calloc(options->connections, sizeof *descriptors);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (load.payload == NULL || load.frame == NULL || connections == NULL || descriptors == NULL || epoll < 0)
    abort();
  for (unsigned i = 0; i < options->message_bytes; i++) load.payload[i] = (uint8_t)('a' + i % 26);
  load.frame_bytes = ws_render(load.frame, WS_BINARY, load.payload, options->message_bytes);
  ws_connect(options, descriptors, options->connections);
  for (unsigned i = 0; i < options->connections; i++) {
    connections[i].descriptor = descriptors[i];
    socket_watch(epoll, connections[i].descriptor, &connections[i]);
  }
  report_start(report);
  load.deadline = report->started + (uint64_t)(options->seconds * 1e9);
  uint64_t give_up = load.deadline + DRAIN_SECONDS * 1000000000ull;
  for (unsigned i = 0; i < options->connections; i++)
    send_message(&load, &connections[i], clock_now());
  struct epoll_event events[EVENTS_AT_ONCE];
  while (load.busy > 0 && clock_now() < give_up) {
    int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, 1000);
    for (int i = 0; i < ready; i++) receive(&load, events[i].data.ptr);
  }
  report_stop(report);
  if (load.busy > 0) report_error(report, load.busy, "%u messages were never echoed", load.busy);
}
