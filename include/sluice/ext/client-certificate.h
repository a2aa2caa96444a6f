/*
 * sluice.client-certificate/1 (host): whom a client has shown to be by the certificate of its TLS connection.
 *
 * The operator says on which listener clients show certificates, and whose (`client_ca`). One that does not lead to such
 * an authority ends the handshake, so whatever is seen here has been verified. It says who the client is and nothing of
 * what it may do: the principal of a request is still what the tenant's authenticator made of its credential.
 */
#ifndef SLUICE_EXT_CLIENT_CERTIFICATE_H
#define SLUICE_EXT_CLIENT_CERTIFICATE_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_CLIENT_CERTIFICATE "sluice.client-certificate/1"

typedef struct sluice_client_certificate_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * The subject of the certificate that the client of a request has shown, as RFC 4514 writes it:
     * "CN=device-7,O=Example". Valid UTF-8 of at most 512 bytes; a longer one is cut. Absent when it has shown none, when
     * the connection has no TLS, and when the token is stale. The slice is valid as those of sluice.http/1 are. In every
     * handler that has a request's token, those of phases and the `open` of a socket too.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_slice_t (*SLUICE_NONNULL subject)(const sluice_host_v1_t *SLUICE_NONNULL host, sluice_token_t request);
} sluice_client_certificate_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_client_certificate_v1_t) == 16, "client certificate table layout");

#ifdef __cplusplus
}
#endif
#endif
