#include "inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t inbox_read(struct inbox *inbox, struct remainder *remainder, int descriptor) {
  uint32_t kept = remainder->length;
  if (kept == INBOX_BYTES) {
    errno = EMSGSIZE;
    return -1;
  }
  if (kept > 0) memcpy(inbox->bytes, remainder->bytes, kept);
  ssize_t count = read(descriptor, inbox->bytes + kept, INBOX_BYTES - kept);
  if (count <= 0) return count;
  remainder->length = 0;
  return (ssize_t)kept + count;
}

void inbox_keep(struct remainder *remainder, const uint8_t *bytes, uint32_t length) {
  if (length > remainder->capacity) {
    remainder->bytes = realloc(remainder->bytes, length);
    if (remainder->bytes == NULL) {
      fprintf(stderr, "loadgen: out of memory\n");
      exit(1);
    }
    remainder->capacity = length;
  }
  memcpy(remainder->bytes, bytes, length);
  remainder->length = length;
}
