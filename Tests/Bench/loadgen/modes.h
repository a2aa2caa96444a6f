/* Each mode runs to its end and fills the report. */
#ifndef LOADGEN_MODES_H
#define LOADGEN_MODES_H

#include "options.h"
#include "report.h"

enum { EVENTS_AT_ONCE = 512, DRAIN_SECONDS = 5 };

/* Keep-alive requests, `pipeline` written at once and all answered before the next are written. */
void http_run(const struct options *options, struct report *report);

/* Connections one after another, each with a full TLS handshake and nothing else. */
void handshakes_run(const struct options *options, struct report *report);

/* Each connection sends one message and awaits it back, unchanged, before the next. */
void ws_echo_run(const struct options *options, struct report *report);

/* One publisher, many subscribers on one path; every subscriber must see every message in order. */
void ws_fan_run(const struct options *options, struct report *report);

/* Opens the connections, 100 at a time where they speak a protocol, prints `{"open":N,"seconds":T}`, answers pings, and ends when standard input closes. */
void ws_idle_run(const struct options *options, struct report *report);

#endif
