#include <unistd.h>

#include "clock.h"
#include "modes.h"
#include "socket.h"
#include "tls.h"

void handshakes_run(const struct options *options, struct report *report) {
  report_start(report);
  uint64_t deadline = report->started + (uint64_t)(options->seconds * 1e9);
  for (unsigned index = 0;; index++) {
    uint64_t now = clock_now();
    if (options->requests > 0 ? report->requests == options->requests : now >= deadline) break;
    int descriptor = socket_connect(options, index);
    tls_session *session = tls_handshake(descriptor);
    report->requests++;
    histogram_add(&report->latency, clock_now() - now);
    tls_end(session);
    close(descriptor);
  }
  report_stop(report);
}
