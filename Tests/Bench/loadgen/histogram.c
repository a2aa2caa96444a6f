#include "histogram.h"

/* Values below 32 have a bucket each; above, the exponent picks the row and the next five bits the step. */
static unsigned bucket_of(uint64_t value) {
  if (value < HISTOGRAM_STEPS) return (unsigned)value;
  unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
  unsigned step = (unsigned)(value >> (exponent - 5)) & (HISTOGRAM_STEPS - 1);
  return (exponent - 4) * HISTOGRAM_STEPS + step;
}

static uint64_t upper_edge(unsigned bucket) {
  if (bucket < HISTOGRAM_STEPS) return bucket;
  unsigned exponent = bucket / HISTOGRAM_STEPS + 4;
  uint64_t step = bucket % HISTOGRAM_STEPS;
  return ((HISTOGRAM_STEPS + step + 1) << (exponent - 5)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
  unsigned bucket = bucket_of(nanoseconds);
  histogram->counts[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
  histogram->total++;
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile) {
  if (histogram->total == 0) return 0;
  uint64_t wanted = (uint64_t)(quantile * (double)histogram->total);
  if (wanted >= histogram->total) wanted = histogram->total - 1;
  uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
    seen += histogram->counts[bucket];
    if (seen > wanted) return upper_edge(bucket);
  }
  return upper_edge(HISTOGRAM_BUCKETS - 1);
}
