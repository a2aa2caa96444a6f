#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: loadgen MODE --port N [--host 127.0.0.1] [--path /] [--connections 64] [--seconds 2]\n"
    "  http       [--method GET] [--body TEXT] [--status 200] [--expect BODY] [--pipeline 1]\n"
    "             [--requests N instead of --seconds] [--rate N a second; latencies count from when each was due]\n"
    "             [--authorization FIELD]\n"
    "  http-post  the same with POST, status 201 and a body that is never repeated\n"
    "  https      as http, over TLS 1.3; the certificate is not verified\n"
    "  tls-handshakes  full handshakes, one after another; [--requests N instead of --seconds]\n"
    "  ws-echo    [--bytes 32]  one message in flight on each connection\n"
    "  ws-fan     [--bytes 32] [--pipeline 1] [--rate N a second]  one publisher, --connections subscribers\n"
    "  ws-idle    holds --connections open until its standard input closes\n"
    "  ws modes  [--deflate 1]  offer permessage-deflate, which must be taken\n"
    "  ws-fan and ws-idle speak Centrifugo's protocol with --token T --channel C; T may be @FILE, a token a line\n"
    "             for each connection in turn; ws-fan also [--rpc METHOD]  send texts by a method; ws-idle also\n"
    "             [--channels N]  C0 to CN-1 in turn  [--expect-missed N --since OFFSET --epoch E]  recover N\n"
    "  every mode [--sources N]  bind N addresses of 127.0.0.0/8 in turn\n";

static _Noreturn void refuse(const char *what, const char *value) {
  fprintf(stderr, "loadgen: %s: %s\n%s", what, value, usage);
  exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t least, uint64_t most) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != 0 || *text == '-' || value < least || value > most)
    refuse(name, text);
  return value;
}

static int known_mode(const char *mode) {
  static const char *const modes[] = {"http",    "http-post", "https",  "tls-handshakes",
                                      "ws-echo", "ws-fan",    "ws-idle"};
  for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++)
    if (strcmp(mode, modes[i]) == 0) return 1;
  return 0;
}

static struct options defaults(const char *mode) {
  struct options options = {
      .mode = mode, .host = "127.0.0.1", .path = "/", .method = "GET", .status = 200,
      .connections = 64, .pipeline = 1, .message_bytes = 32, .seconds = 2,
      .channel = "", .epoch = "",
  };
  if (strcmp(mode, "http-post") == 0) {
    options.method = "POST";
    options.status = 201;
    options.body = "{\"entry\":\"################\",\"text\":\"the quick brown fox\"}";
  }
  return options;
}

/* A whole file, which is kept for as long as the program runs. */
static const char *contents(const char *path) {
  FILE *file = fopen(path, "rb");
  long length = -1;
  if (file != NULL && fseek(file, 0, SEEK_END) == 0) length = ftell(file);
  char *text = length > 0 ? malloc((size_t)length + 1) : NULL;
  if (text == NULL || fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, (size_t)length, file) != (size_t)length)
    refuse("no file with tokens", path);
  fclose(file);
  text[length] = 0;
  return text;
}

struct options options_read(int count, char **arguments) {
  if (count < 2 || !known_mode(arguments[1])) refuse("unknown mode", count < 2 ? "" : arguments[1]);
  struct options options = defaults(arguments[1]);
  for (int i = 2; i < count; i += 2) {
    const char *name = arguments[i];
    if (i + 1 == count) refuse("option without a value", name);
    const char *value = arguments[i + 1];
    if (strcmp(name, "--host") == 0) options.host = value;
    else if (strcmp(name, "--port") == 0) options.port = (uint16_t)number(name, value, 1, 65535);
    else if (strcmp(name, "--path") == 0) options.path = value;
    else if (strcmp(name, "--method") == 0) options.method = value;
    else if (strcmp(name, "--body") == 0) options.body = value;
    else if (strcmp(name, "--expect") == 0) options.expected_body = value;
    else if (strcmp(name, "--status") == 0) options.status = (unsigned)number(name, value, 200, 599);
    else if (strcmp(name, "--connections") == 0)
      options.connections = (unsigned)number(name, value, 1, 100000);
    else if (strcmp(name, "--pipeline") == 0)
      options.pipeline = (unsigned)number(name, value, 1, 1024);
    else if (strcmp(name, "--bytes") == 0)
      options.message_bytes = (unsigned)number(name, value, 8, 65536);
    else if (strcmp(name, "--deflate") == 0) options.deflate = (unsigned)number(name, value, 0, 1);
    else if (strcmp(name, "--token") == 0) options.token = value;
    else if (strcmp(name, "--rpc") == 0) options.rpc = value;
    else if (strcmp(name, "--channel") == 0) options.channel = value;
    else if (strcmp(name, "--epoch") == 0) options.epoch = value;
    else if (strcmp(name, "--channels") == 0) options.channels = (unsigned)number(name, value, 0, 1000000);
    else if (strcmp(name, "--since") == 0) options.since = number(name, value, 0, UINT64_MAX / 2);
    else if (strcmp(name, "--expect-missed") == 0)
      options.expect_missed = (unsigned)number(name, value, 0, 1000);
    else if (strcmp(name, "--authorization") == 0) options.authorization = value;
    else if (strcmp(name, "--sources") == 0) options.sources = (unsigned)number(name, value, 0, 200);
    else if (strcmp(name, "--rate") == 0) options.rate = (unsigned)number(name, value, 0, 1000000);
    else if (strcmp(name, "--requests") == 0)
      options.requests = number(name, value, 1, UINT64_MAX / 2);
    else if (strcmp(name, "--seconds") == 0) {
      char *end;
      options.seconds = strtod(value, &end);
      if (end == value || *end != 0 || !(options.seconds > 0 && options.seconds < 86400))
        refuse(name, value);
    } else refuse("unknown option", name);
  }
  if (options.port == 0) refuse("missing option", "--port");
  if (options.token != NULL && options.channel[0] == 0) refuse("missing option", "--channel");
  if (options.token != NULL && options.message_bytes < 16) refuse("--bytes", "16 or more with a token");
  if (options.token != NULL && options.token[0] == '@') options.tokens = contents(options.token + 1);
  return options;
}
