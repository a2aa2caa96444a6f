/* Monotonic time and this process's own processor time, both in nanoseconds. */
#ifndef LOADGEN_CLOCK_H
#define LOADGEN_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read(clockid_t which) {
  struct timespec time;
  clock_gettime(which, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline uint64_t clock_now(void) { return clock_read(CLOCK_MONOTONIC); }

static inline uint64_t clock_cpu(void) { return clock_read(CLOCK_PROCESS_CPUTIME_ID); }

#endif
