/* The command line. Every mode reads the same set; what a mode does not use it ignores. */
#ifndef LOADGEN_OPTIONS_H
#define LOADGEN_OPTIONS_H

#include <stdint.h>

struct options {
  const char *mode;         /* http · http-post · https · tls-handshakes · ws-echo · ws-fan · ws-idle */
  const char *host;         /* an IPv4 address */
  uint16_t port;
  const char *path;
  const char *method;       /* http modes */
  const char *body;         /* http modes; 16 '#' in a row become a number unlike any other */
  const char *expected_body; /* http modes; NULL: the length is read from each response */
  unsigned status;          /* http modes: the only status that is not an error */
  unsigned connections;     /* ws-fan: the subscribers; the publisher is one more */
  unsigned pipeline;        /* http: requests written at once; ws-fan: messages in flight */
  unsigned message_bytes;   /* ws modes: payload bytes, 8 or more for ws-fan, 16 with a token */
  unsigned deflate;         /* ws modes: 1: offers permessage-deflate, which the server has to take */
  unsigned sources;         /* 0: the system's choice; else this many 127.x.y.z addresses */
  uint64_t requests;        /* http: stop after this many; 0: stop after `seconds` */
  const char *token;        /* ws-fan, ws-idle: speaks Centrifugo's protocol with it; NULL: plain messages */
  const char *tokens;       /* the file with a line for each connection in turn that `token` is @FILE for; else NULL */
  const char *channel;      /* with a token: what is listened to */
  const char *rpc;          /* with a token, ws-fan: the method by which a text is sent to `channel`; NULL: it is published */
  unsigned channels;        /* with a token, ws-idle: 0: one for all; else `channel` and a number below this */
  unsigned expect_missed;   /* with a token, ws-idle: publications that every client missed after `since` */
  uint64_t since;
  const char *epoch;
  const char *authorization; /* http modes: the Authorization field; NULL: none */
  unsigned rate;            /* http modes: requests per second over all connections, ws-fan: messages per second; 0: as
                               fast as answers come */
  double seconds;
};

/* Exits with 2 and a sentence on stderr when the command line is wrong. */
struct options options_read(int count, char **arguments);

#endif
