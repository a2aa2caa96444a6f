/* A latency histogram: 32 linear buckets per power of two, so a quantile is at most 3 % high. */
#ifndef LOADGEN_HISTOGRAM_H
#define LOADGEN_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_STEPS };

struct histogram {
  uint64_t total;
  uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);

/* The upper edge in nanoseconds of the bucket that holds `quantile` (0…1); 0 when nothing was added. */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);

#endif
