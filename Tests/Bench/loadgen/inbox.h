/* One read buffer for all connections. A connection keeps only the part of a message that was cut off,
   so the buffer stays in the processor's cache however many connections there are. */
#ifndef LOADGEN_INBOX_H
#define LOADGEN_INBOX_H

#include <stdint.h>
#include <sys/types.h>

enum { INBOX_BYTES = 256 * 1024 };

struct inbox {
  uint8_t bytes[INBOX_BYTES];
};

struct remainder {
  uint8_t *bytes;
  uint32_t length, capacity;
};

/* What was left over followed by what one read gives: the number of bytes now in `inbox`.
   0: the peer closed. -1: see errno (EAGAIN: nothing to read). EMSGSIZE: one message fills the inbox. */
ssize_t inbox_read(struct inbox *inbox, struct remainder *remainder, int descriptor);

/* Keeps the last `length` bytes for the next read. */
void inbox_keep(struct remainder *remainder, const uint8_t *bytes, uint32_t length);

#endif
