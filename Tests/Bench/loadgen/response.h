/* HTTP/1.1 responses with a Content-Length; the heads of one server differ in a few bytes only, so the
   place of the length, once found, is tried first. */
#ifndef LOADGEN_RESPONSE_H
#define LOADGEN_RESPONSE_H

#include <stdint.h>

struct response {
  unsigned status;
  uint32_t head_bytes, body_bytes;
};

struct response_shape {
  uint32_t head_bytes, body_bytes;
  uint32_t length_at, length_bytes; /* the Content-Length line, from the start of the head */
  char length_line[48];
};

enum response_outcome { RESPONSE_COMPLETE, RESPONSE_PARTIAL, RESPONSE_INVALID };

/* Reads one response from the front of `bytes`. `shape` starts zeroed and is refreshed here. */
enum response_outcome response_read(struct response *response, struct response_shape *shape,
                                    const uint8_t *bytes, uint32_t length);

#endif
