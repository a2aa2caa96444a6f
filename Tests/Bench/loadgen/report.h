/* What one run counted, printed as one line of JSON. */
#ifndef LOADGEN_REPORT_H
#define LOADGEN_REPORT_H

#include "histogram.h"
#include "options.h"

struct report {
  uint64_t requests;  /* answered correctly; ws-fan: deliveries to subscribers */
  uint64_t errors;    /* wrong status, length, body or order; lost connections; unanswered */
  uint64_t started, ended, cpu_started, cpu_ended;  /* nanoseconds */
  char first_error[160];
  struct histogram latency;
};

void report_start(struct report *report);
void report_stop(struct report *report);

/* Counts `errors` errors and keeps the first sentence. `sentence` is ASCII without quotes. */
void report_error(struct report *report, uint64_t errors, const char *sentence, ...)
    __attribute__((format(printf, 3, 4)));

void report_print(const struct report *report, const struct options *options);

#endif
