/* TLS 1.3 over a connected socket, by OpenSSL; one suite and one group, so that every server does the same work. */
#ifndef LOADGEN_TLS_H
#define LOADGEN_TLS_H

#include <sys/types.h>

#include "inbox.h"

typedef struct ssl_st tls_session;

/* A full handshake on a blocking socket. The server's certificate is not verified. Exits with 1 and the reason when it
   fails. */
tls_session *tls_handshake(int descriptor);

/* As inbox_read, of all that can be decrypted now. */
ssize_t tls_read(struct inbox *inbox, struct remainder *remainder, tls_session *session);

/* Writes all of it: 0, or -1. */
int tls_write(tls_session *session, const void *bytes, size_t length);

/* Says goodbye and frees the session; the descriptor stays open. */
void tls_end(tls_session *session);

#endif
