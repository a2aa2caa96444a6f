/* Centrifugo's client protocol in JSON, as much as a load needs: connect, subscribe, publish, pings. */
#ifndef LOADGEN_CENTRIFUGO_H
#define LOADGEN_CENTRIFUGO_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "report.h"

enum { CENTRIFUGO_HEAD_BYTES = 512 };

/* What a line of the server's is. */
enum centrifugo_line { CENTRIFUGO_PING, CENTRIFUGO_REPLY, CENTRIFUGO_PUBLICATION, CENTRIFUGO_OTHER };

/* Whether the command line asks for the protocol: it gives a token. */
int centrifugo_is_spoken(const struct options *options);

/* Says "connect" and "subscribe" on all of them at once and awaits both replies of each. With `expect-missed` every
   client asks for what came after `since`, and has to get exactly that many, in order; the others are errors in the
   report, the rest its requests. `first` is the number of the first of them, by which each has its channel. Exits with 1 when
   a client is refused or nothing comes for 30 s. */
void centrifugo_join(const struct options *options, const int *descriptors, unsigned first, unsigned count,
                     struct report *report);

/* Writes the command that publishes a message, or sends it as a text by `rpc`, as one frame; `out` holds CENTRIFUGO_HEAD_BYTES more than the
   message. Returns the bytes written. */
size_t centrifugo_publish(uint8_t *out, const struct options *options, uint64_t number);

/* Takes the next line off a frame's payload, and says what it is. */
enum centrifugo_line centrifugo_next(const uint8_t **payload, uint32_t *left, const uint8_t **line,
                                     uint32_t *length);

/* The number of the message in a publication; UINT64_MAX when it is no message of `centrifugo_publish`, in full. */
uint64_t centrifugo_number(const struct options *options, const uint8_t *line, uint32_t length);

/* Answers a ping. 0, or -1 with errno. */
int centrifugo_pong(int descriptor);

#endif
