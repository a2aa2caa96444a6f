#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"

void report_start(struct report *report) {
  report->started = clock_now();
  report->cpu_started = clock_cpu();
}

void report_stop(struct report *report) {
  report->ended = clock_now();
  report->cpu_ended = clock_cpu();
}

void report_error(struct report *report, uint64_t errors, const char *sentence, ...) {
  report->errors += errors;
  if (report->first_error[0] != 0) return;
  va_list arguments;
  va_start(arguments, sentence);
  vsnprintf(report->first_error, sizeof report->first_error, sentence, arguments);
  va_end(arguments);
}

void report_print(const struct report *report, const struct options *options) {
  double seconds = (double)(report->ended - report->started) / 1e9;
  double cpu = (double)(report->cpu_ended - report->cpu_started) / 1e9;
  printf("{\"mode\":\"%s\",\"connections\":%u,\"requests\":%" PRIu64 ",\"errors\":%" PRIu64
         ",\"first_error\":\"%s\",\"seconds\":%.6f,\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
         "\"cpu_seconds\":%.6f,\"cpu_share\":%.4f}\n",
         options->mode, options->connections, report->requests, report->errors,
         report->first_error, seconds, seconds > 0 ? (double)report->requests / seconds : 0,
         (double)histogram_quantile(&report->latency, 0.50) / 1e3,
         (double)histogram_quantile(&report->latency, 0.99) / 1e3, cpu,
         seconds > 0 ? cpu / seconds : 0);
  fflush(stdout);
}
