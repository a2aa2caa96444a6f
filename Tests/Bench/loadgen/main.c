/* loadgen: one thread, one epoll, one line of JSON. Exit status 0 whatever was measured, 1 when the server
   cannot be reached or refuses the handshake, 2 when the command line is wrong. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "modes.h"

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **arguments) {
  struct options options = options_read(count, arguments);
  static struct report report;
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  prctl(PR_SET_TIMERSLACK, 1); /* nanoseconds: what is due is sent then */
  if (strncmp(options.mode, "http", 4) == 0) http_run(&options, &report);
  else if (strcmp(options.mode, "tls-handshakes") == 0) handshakes_run(&options, &report);
  else if (strcmp(options.mode, "ws-echo") == 0) ws_echo_run(&options, &report);
  else if (strcmp(options.mode, "ws-fan") == 0) ws_fan_run(&options, &report);
  else ws_idle_run(&options, &report);
  report_print(&report, &options);
  return 0;
}
