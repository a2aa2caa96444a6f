#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "inbox.h"
#include "modes.h"
#include "response.h"
#include "socket.h"
#include "tls.h"

struct http_connection {
  int descriptor;
  tls_session *tls; /* NULL without TLS */
  unsigned awaited; /* responses still to come of the batch written last */
  uint64_t sent_at;
  struct remainder remainder;
};

struct http_load {
  const struct options *options;
  struct report *report;
  char *batch; /* `pipeline` copies of the request, one after another */
  size_t request_bytes;
  size_t number_at; /* where the 16 digits of a unique body are, or 0 */
  uint64_t number;
  uint64_t left; /* with --requests: not yet written */
  uint64_t deadline;
  unsigned busy; /* connections that await something */
  double interval; /* with --rate: nanoseconds between requests, and when the next is due */
  double due;
  unsigned turn; /* the connection to look at first for it */
  struct response_shape shape;
};

static struct inbox inbox;

static void render_request(struct http_load *load) {
  const struct options *options = load->options;
  const char *body = options->body ? options->body : "";
  char length_line[96] = "", who_line[2048] = "";
  if (options->authorization)
    snprintf(who_line, sizeof who_line, "authorization: %s\r\n", options->authorization);
  if (options->body)
    snprintf(length_line, sizeof length_line,
             "content-type: application/json\r\ncontent-length: %zu\r\n", strlen(body));
  char *request;
  int bytes = asprintf(&request, "%s %s HTTP/1.1\r\nhost: %s:%u\r\n%s%s\r\n%s", options->method,
                       options->path, options->host, options->port, who_line, length_line, body);
  if (bytes < 0) abort();
  load->request_bytes = (size_t)bytes;
  load->batch = malloc(load->request_bytes * options->pipeline);
  if (load->batch == NULL) abort();
  for (unsigned i = 0; i < options->pipeline; i++)
    memcpy(load->batch + i * load->request_bytes, request, load->request_bytes);
  char *number = strstr(request, "################");
  load->number_at = number ? (size_t)(number - request) : 0;
  load->number = (uint64_t)getpid() << 40; /* so that runs do not repeat each other's bodies */
  free(request);
}

static void render_numbers(struct http_load *load, unsigned requests) {
  for (unsigned i = 0; i < requests; i++) {
    uint64_t number = load->number++;
    char *digit = load->batch + i * load->request_bytes + load->number_at;
    for (int shift = 60; shift >= 0; shift -= 4) *digit++ = "0123456789abcdef"[number >> shift & 15];
  }
}

static void drop(struct http_load *load, struct http_connection *connection) {
  if (connection->awaited > 0) load->busy--;
  connection->awaited = 0;
  if (connection->tls != NULL) tls_end(connection->tls);
  close(connection->descriptor);
  connection->descriptor = -1;
}

static void send_batch(struct http_load *load, struct http_connection *connection, uint64_t now) {
  unsigned requests = load->options->pipeline;
  if (load->options->requests > 0) {
    if (load->left < requests) requests = (unsigned)load->left;
    load->left -= requests;
  } else if (now >= load->deadline) requests = 0;
  if (requests == 0) return;
  if (load->number_at > 0) render_numbers(load, requests);
  size_t bytes = requests * load->request_bytes;
  int failed = connection->tls != NULL ? tls_write(connection->tls, load->batch, bytes)
                                       : socket_write(connection->descriptor, load->batch, bytes);
  if (failed) {
    report_error(load->report, requests, "write: %s", strerror(errno));
    drop(load, connection);
    return;
  }
  connection->sent_at = now;
  connection->awaited = requests;
  load->busy++;
}

/* 1 when the response is the one that was asked for. */
static int accept_response(struct http_load *load, const struct response *response,
                           const uint8_t *bytes) {
  const char *expected = load->options->expected_body;
  if (response->status != load->options->status) {
    report_error(load->report, 1, "status %u where %u was expected", response->status,
                 load->options->status);
    return 0;
  }
  if (expected == NULL) return 1;
  size_t length = strlen(expected);
  if (response->body_bytes != length) {
    report_error(load->report, 1, "body of %u bytes where %zu were expected", response->body_bytes,
                 length);
    return 0;
  }
  if (memcmp(bytes + response->head_bytes, expected, length) != 0) {
    report_error(load->report, 1, "body of the right length with other bytes");
    return 0;
  }
  return 1;
}

static void receive(struct http_load *load, struct http_connection *connection) {
  ssize_t count = connection->tls != NULL
                      ? tls_read(&inbox, &connection->remainder, connection->tls)
                      : inbox_read(&inbox, &connection->remainder, connection->descriptor);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    report_error(load->report, connection->awaited ? connection->awaited : 1,
                 "the server closed a connection with %u responses to come", connection->awaited);
    drop(load, connection);
    return;
  }
  uint64_t now = clock_now();
  const uint8_t *next = inbox.bytes;
  uint32_t left = (uint32_t)count;
  struct response response;
  while (left > 0) {
    enum response_outcome outcome = response_read(&response, &load->shape, next, left);
    if (outcome == RESPONSE_PARTIAL) break;
    if (outcome == RESPONSE_INVALID || connection->awaited == 0) {
      report_error(load->report, connection->awaited + 1, connection->awaited == 0
                       ? "a response that nothing asked for"
                       : "not an HTTP/1.1 response with a Content-Length");
      drop(load, connection);
      return;
    }
    if (accept_response(load, &response, next)) {
      load->report->requests++;
      histogram_add(&load->report->latency, now - connection->sent_at);
    }
    connection->awaited--;
    if (connection->awaited == 0) load->busy--;
    next += response.head_bytes + response.body_bytes;
    left -= response.head_bytes + response.body_bytes;
  }
  if (left > 0) inbox_keep(&connection->remainder, next, left);
  if (connection->awaited == 0 && load->interval == 0) send_batch(load, connection, now);
}

/* Sends what is due over connections that await nothing. What finds none free waits, and its latency counts from when it was due. */
static void send_due(struct http_load *load, struct http_connection *connections) {
  unsigned count = load->options->connections, looked_at = 0;
  while (load->due <= (double)clock_now() && load->due < (double)load->deadline && looked_at < count) {
    struct http_connection *connection = &connections[load->turn++ % count];
    looked_at++;
    if (connection->descriptor < 0 || connection->awaited > 0) continue;
    send_batch(load, connection, (uint64_t)load->due);
    load->due += load->interval;
    looked_at = 0;
  }
}

/* Nanoseconds until something is due; a millisecond for what is due and finds no connection free. */
static uint64_t patience(const struct http_load *load) {
  double now = (double)clock_now();
  if (load->interval == 0 || load->due >= (double)load->deadline) return 1000000000;
  return load->due <= now ? (load->busy > 0 ? 1000000 : 0) : (uint64_t)(load->due - now);
}

void http_run(const struct options *options, struct report *report) {
  struct http_load load = {.options = options, .report = report, .left = options->requests};
  render_request(&load);
  struct http_connection *connections = calloc(options->connections, sizeof *connections);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (connections == NULL || epoll < 0) abort();
  for (unsigned i = 0; i < options->connections; i++) {
    connections[i].descriptor = socket_connect(options, i);
    if (strcmp(options->mode, "https") == 0)
      connections[i].tls = tls_handshake(connections[i].descriptor);
    socket_make_nonblocking(connections[i].descriptor);
    socket_watch(epoll, connections[i].descriptor, &connections[i]);
  }
  report_start(report);
  load.deadline = report->started + (uint64_t)(options->seconds * 1e9);
  if (options->rate > 0) {
    load.interval = 1e9 / options->rate;
    load.due = (double)report->started;
  }
  for (unsigned i = 0; i < options->connections && options->rate == 0; i++)
    send_batch(&load, &connections[i], clock_now());
  struct epoll_event events[EVENTS_AT_ONCE];
  uint64_t give_up = load.deadline + DRAIN_SECONDS * 1000000000ull;
  while ((load.busy > 0 || (load.interval > 0 && load.due < (double)load.deadline))
         && (options->requests > 0 || clock_now() < give_up)) {
    if (load.interval > 0) send_due(&load, connections);
    int ready = socket_wait(epoll, events, EVENTS_AT_ONCE, patience(&load));
    if (ready == 0 && options->requests > 0 && clock_now() - report->started > 600000000000ull) break;
    for (int i = 0; i < ready; i++) receive(&load, events[i].data.ptr);
  }
  report_stop(report);
  for (unsigned i = 0; i < options->connections; i++)
    if (connections[i].awaited > 0)
      report_error(report, connections[i].awaited, "%u requests were never answered",
                   connections[i].awaited);
}
