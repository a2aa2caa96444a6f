#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* One address has 28,000 ports by default, and a closed one rests for a minute: the process id moves
   each run to addresses of its own, and the connections of a run go round them. */
static void bind_source(int descriptor, unsigned sources, unsigned index) {
  struct sockaddr_in source = {.sin_family = AF_INET};
  uint32_t run = (uint32_t)getpid() % 250 + 2;
  source.sin_addr.s_addr = htonl(0x7f000000u | run << 8 | (index % sources + 1));
  int on = 1;
  setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(descriptor, (struct sockaddr *)&source, sizeof source) != 0) fail("bind a source address");
}

int socket_connect(const struct options *options, unsigned index) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
  if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1) {
    fprintf(stderr, "loadgen: --host %s is not an IPv4 address\n", options->host);
    exit(2);
  }
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail("socket");
  int on = 1;
  struct timeval limit = {.tv_sec = 5};
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (options->sources > 0) bind_source(descriptor, options->sources, index);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  return descriptor;
}

void socket_make_nonblocking(int descriptor) {
  if (fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) != 0) fail("fcntl");
}

int socket_write(int descriptor, const void *bytes, size_t length) {
  const char *next = bytes;
  while (length > 0) {
    ssize_t written = send(descriptor, next, length, MSG_NOSIGNAL);
    if (written > 0) {
      next += written;
      length -= (size_t)written;
    } else if (errno == EAGAIN) {
      struct pollfd writable = {.fd = descriptor, .events = POLLOUT};
      if (poll(&writable, 1, 5000) == 0) {
        errno = ETIMEDOUT;
        return -1;
      }
    } else if (errno != EINTR) return -1;
  }
  return 0;
}

void socket_watch(int epoll, int descriptor, void *tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

int socket_wait(int epoll, struct epoll_event *events, int most, uint64_t nanoseconds) {
  struct timespec patience = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
  int ready = epoll_pwait2(epoll, events, most, &patience, NULL);
  if (ready < 0 && errno != EINTR) fail("epoll_pwait2");
  return ready < 0 ? 0 : ready;
}
