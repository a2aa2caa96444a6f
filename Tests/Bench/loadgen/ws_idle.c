#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "centrifugo.h"
#include "clock.h"
#include "inbox.h"
#include "modes.h"
#include "socket.h"
#include "websocket.h"

struct idle_connection {
  int descriptor;
  struct remainder remainder;
};

static struct inbox inbox;

/* 0 when the connection is gone. */
static int stays_open(const struct options *options, struct idle_connection *connection) {
  ssize_t count = inbox_read(&inbox, &connection->remainder, connection->descriptor);
  if (count <= 0) return count < 0 && (errno == EAGAIN || errno == EINTR);
  const uint8_t *next = inbox.bytes;
  uint32_t left = (uint32_t)count;
  struct ws_frame frame;
  while (left > 0) {
    enum ws_outcome outcome = ws_read(&frame, next, left);
    if (outcome == WS_PARTIAL) break;
    if (outcome == WS_INVALID || frame.opcode == WS_CLOSE) return 0;
    if (frame.opcode == WS_PING &&
        ws_pong(connection->descriptor, next + frame.head_bytes, frame.payload_bytes) != 0)
      return 0;
    const uint8_t *payload = next + frame.head_bytes, *line;
    uint32_t rest = frame.payload_bytes, length;
    while (centrifugo_is_spoken(options) && frame.opcode == WS_TEXT && rest > 0)
      if (centrifugo_next(&payload, &rest, &line, &length) == CENTRIFUGO_PING &&
          centrifugo_pong(connection->descriptor) != 0)
        return 0;
    next += frame.head_bytes + frame.payload_bytes;
    left -= frame.head_bytes + frame.payload_bytes;
  }
  if (left > 0) inbox_keep(&connection->remainder, next, left);
  return 1;
}

void ws_idle_run(const struct options *options, struct report *report) {
  struct idle_connection *connections = calloc(options->connections, sizeof *connections);
  int *descriptors = calloc(options->connections, sizeof *descriptors);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (connections == NULL || descriptors == NULL || epoll < 0)
    abort();
  report_start(report);
  /* Clients come one after the other, but for those that come back after a restart: they come at once. */
  unsigned crowd = options->expect_missed > 0 || !centrifugo_is_spoken(options) ? options->connections : 100;
  for (unsigned first = 0; first < options->connections; first += crowd) {
    unsigned count = options->connections - first < crowd ? options->connections - first : crowd;
    ws_connect(options, descriptors + first, count);
    if (centrifugo_is_spoken(options)) centrifugo_join(options, descriptors + first, first, count, report);
    else report->requests += count;
  }
  double seconds = (double)(clock_now() - report->started) / 1e9;
  for (unsigned i = 0; i < options->connections; i++) {
    connections[i].descriptor = descriptors[i];
    socket_watch(epoll, connections[i].descriptor, &connections[i]);
  }
  struct epoll_event closing = {.events = EPOLLIN};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &closing) != 0) {
    fprintf(stderr, "loadgen: ws-idle wants a pipe as its standard input: it ends when that closes\n");
    exit(2);
  }
  printf("{\"open\":%u,\"seconds\":%.3f}\n", options->connections, seconds);
  fflush(stdout);
  struct epoll_event events[EVENTS_AT_ONCE];
  for (int holding = 1; holding;) {
    int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, 1000);
    for (int i = 0; i < ready; i++) {
      struct idle_connection *connection = events[i].data.ptr;
      char byte;
      if (connection == NULL) holding = read(STDIN_FILENO, &byte, 1) > 0;
      else if (!stays_open(options, connection)) {
        report_error(report, 1, "the server closed an idle connection");
        close(connection->descriptor);
      }
    }
  }
  report_stop(report);
}
