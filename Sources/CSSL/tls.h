/*
 * What the room TLS needs of OpenSSL that is a macro there: Swift sees functions only. Each is the macro of the same
 * name, without its prefix cssl_; returns and ownership are as OpenSSL's manual says.
 */
#ifndef SLUICE_CSSL_TLS_H
#define SLUICE_CSSL_TLS_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline int cssl_CTX_set_min_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}

/* No renegotiation, no compression; the server's order of suites, but ChaCha20 for clients that put it first. */
static inline void cssl_CTX_set_safe_options(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
}

static inline void cssl_CTX_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }

static inline void cssl_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
  SSL_CTX_set_session_cache_mode(context, mode);
}

static inline int cssl_CTX_set1_groups_list(SSL_CTX *context, const char *groups) {
  return (int)SSL_CTX_set1_groups_list(context, groups);
}

static inline int cssl_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline void cssl_CTX_set_servername_callback(SSL_CTX *context,
                                                    int (*callback)(SSL *, int *, void *)) {
  SSL_CTX_set_tlsext_servername_callback(context, callback);
}

static inline void cssl_CTX_set_status_callback(SSL_CTX *context, int (*callback)(SSL *, void *)) {
  SSL_CTX_set_tlsext_status_cb(context, callback);
}

/* `response` must come from OPENSSL_malloc; the session frees it. */
static inline void cssl_set_ocsp_response(SSL *session, void *response, long size) {
  SSL_set_tlsext_status_ocsp_resp(session, response, size);
}

static inline int cssl_CTX_new_index(CRYPTO_EX_free *release) {
  return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, release);
}

/* Which of OpenSSL's reasons an error of its queue has. */
static inline int cssl_error_reason(unsigned long error) { return ERR_GET_REASON(error); }

static inline void *cssl_memdup(const void *bytes, size_t size) { return OPENSSL_memdup(bytes, size); }

static inline void cssl_free(void *memory) { OPENSSL_free(memory); }

static inline void cssl_cleanse(void *memory, size_t size) { OPENSSL_cleanse(memory, size); }

static inline void cssl_BIO_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline void cssl_BIO_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

/* Keys the HMAC-SHA-256 of a session ticket. 1, or 0 on failure. */
static inline int cssl_key_ticket_mac(EVP_MAC_CTX *mac, unsigned char *key, size_t size) {
  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, size),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters);
}

/* As RFC 2253, and RFC 4514 after it, write a name. */
static inline int cssl_print_name(BIO *bio, const X509_NAME *name) {
  return X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
}

/* What a memory BIO holds, borrowed. */
static inline long cssl_BIO_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

static inline EVP_PKEY *cssl_new_p256_key(void) { return EVP_EC_gen("P-256"); }

static inline int cssl_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline const GENERAL_NAME *cssl_name_at(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}

/* The bytes of a DNS name, which OpenSSL does not end with a zero; NULL for a name of another kind. */
static inline const unsigned char *cssl_dns_name(const GENERAL_NAME *name, int *size) {
  if (name->type != GEN_DNS) return NULL;
  *size = ASN1_STRING_length(name->d.dNSName);
  return ASN1_STRING_get0_data(name->d.dNSName);
}

/* A stack that borrows one certificate: free it with cssl_free_certificates. */
static inline STACK_OF(X509) *cssl_borrow_certificate(X509 *certificate) {
  STACK_OF(X509) *stack = sk_X509_new_null();
  if (stack != NULL) sk_X509_push(stack, certificate);
  return stack;
}

static inline void cssl_free_certificates(STACK_OF(X509) *stack) { sk_X509_free(stack); }

#endif
