/* Blocking set-up, then non-blocking traffic, on TCP over IPv4. */
#ifndef LOADGEN_SOCKET_H
#define LOADGEN_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "options.h"

/* A connected, blocking socket (5 s for any one call); the `index`-th picks the source address.
   Exits with 1 and the reason when the server cannot be reached. */
int socket_connect(const struct options *options, unsigned index);

void socket_make_nonblocking(int descriptor);

/* Writes all of it, waiting up to 5 s for a peer that has stopped reading. 0, or -1 with errno. */
int socket_write(int descriptor, const void *bytes, size_t length);

/* Registers for reading; `tag` comes back with each event. */
void socket_watch(int epoll, int descriptor, void *tag);

/* Waits for events, and at most so long: to the microsecond, because a generator that spins until something is due takes
   from the servers what they are measured with. Their number; 0 when the time is over or a signal came. */
int socket_wait(int epoll, struct epoll_event *events, int most, uint64_t nanoseconds);

#endif
