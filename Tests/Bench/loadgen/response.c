#include "response.h"

#include <string.h>
#include <strings.h>

static unsigned status_of(const uint8_t *bytes) {
  if (memcmp(bytes, "HTTP/1.1 ", 9) != 0) return 0;
  unsigned status = 0;
  for (int i = 9; i < 12; i++) {
    if (bytes[i] < '0' || bytes[i] > '9') return 0;
    status = status * 10 + (bytes[i] - '0');
  }
  return status;
}

static int has_shape(const struct response_shape *shape, const uint8_t *bytes, uint32_t length) {
  return shape->head_bytes > 0 && length >= shape->head_bytes &&
         memcmp(bytes + shape->head_bytes - 4, "\r\n\r\n", 4) == 0 &&
         memcmp(bytes + shape->length_at, shape->length_line, shape->length_bytes) == 0;
}

/* Fills `shape` from a whole head; 0 when it has no single, readable Content-Length. */
static int learn_shape(struct response_shape *shape, const uint8_t *head, uint32_t head_bytes) {
  static const char name[] = "content-length:";
  shape->head_bytes = 0;
  for (uint32_t at = 0; at + 2 < head_bytes;) {
    const uint8_t *end = memmem(head + at, head_bytes - at, "\r\n", 2);
    uint32_t line = (uint32_t)(end - (head + at));
    if (line > sizeof name - 1 && strncasecmp((const char *)head + at, name, sizeof name - 1) == 0) {
      if (shape->head_bytes != 0 || line + 2 > sizeof shape->length_line) return 0;
      uint32_t digit = at + sizeof name - 1, value = 0;
      while (head[digit] == ' ') digit++;
      if (head[digit] < '0' || head[digit] > '9') return 0;
      for (; head[digit] >= '0' && head[digit] <= '9'; digit++) {
        value = value * 10 + (head[digit] - '0');
        if (value > 128 * 1024) return 0;
      }
      if (head[digit] != '\r') return 0;
      shape->head_bytes = head_bytes;
      shape->body_bytes = value;
      shape->length_at = at;
      shape->length_bytes = line + 2;
      memcpy(shape->length_line, head + at, line + 2);
    }
    at += line + 2;
  }
  return shape->head_bytes != 0;
}

enum response_outcome response_read(struct response *response, struct response_shape *shape,
                                    const uint8_t *bytes, uint32_t length) {
  if (length < 16) return RESPONSE_PARTIAL;
  response->status = status_of(bytes);
  if (response->status == 0) return RESPONSE_INVALID;
  if (!has_shape(shape, bytes, length)) {
    const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL) return length > 16384 ? RESPONSE_INVALID : RESPONSE_PARTIAL;
    if (!learn_shape(shape, bytes, (uint32_t)(end - bytes) + 4)) return RESPONSE_INVALID;
  }
  response->head_bytes = shape->head_bytes;
  response->body_bytes = shape->body_bytes;
  return length - shape->head_bytes < shape->body_bytes ? RESPONSE_PARTIAL : RESPONSE_COMPLETE;
}
