#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *what) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  fprintf(stderr, "loadgen: %s: %s\n", what, reason ? reason : "no reason given");
  exit(1);
}

static SSL_CTX *context(void) {
  static SSL_CTX *made;
  if (made != NULL) return made;
  made = SSL_CTX_new(TLS_client_method());
  if (made == NULL || !SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) ||
      !SSL_CTX_set_ciphersuites(made, "TLS_AES_128_GCM_SHA256") ||
      !SSL_CTX_set1_groups_list(made, "X25519"))
    fail("setting TLS up");
  SSL_CTX_set_verify(made, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  return made;
}

tls_session *tls_handshake(int descriptor) {
  SSL *session = SSL_new(context());
  if (session == NULL || !SSL_set_fd(session, descriptor) || SSL_connect(session) != 1)
    fail("TLS handshake");
  return session;
}

ssize_t tls_read(struct inbox *inbox, struct remainder *remainder, tls_session *session) {
  uint32_t filled = remainder->length;
  if (filled > 0) memcpy(inbox->bytes, remainder->bytes, filled);
  remainder->length = 0;
  for (;;) {
    if (filled == INBOX_BYTES) {
      errno = EMSGSIZE;
      return -1;
    }
    int count = SSL_read(session, inbox->bytes + filled, (int)(INBOX_BYTES - filled));
    if (count > 0) {
      filled += (uint32_t)count;
      continue;
    }
    int error = SSL_get_error(session, count);
    ERR_clear_error();
    if (error != SSL_ERROR_WANT_READ) return 0;
    if (filled > 0) return (ssize_t)filled;
    errno = EAGAIN;
    return -1;
  }
}

int tls_write(tls_session *session, const void *bytes, size_t length) {
  size_t written;
  return SSL_write_ex(session, bytes, length, &written) == 1 && written == length ? 0 : -1;
}

void tls_end(tls_session *session) {
  SSL_shutdown(session);
  SSL_free(session);
  ERR_clear_error();
}
