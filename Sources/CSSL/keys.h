/*
 * Public keys from their numbers. OpenSSL's builder of parameters keeps the pointers that it is given until it builds, which
 * Swift's do not last for. Each returns a key that the caller frees with EVP_PKEY_free, or NULL, and leaves the reason in
 * OpenSSL's queue.
 */
#ifndef SLUICE_CSSL_KEYS_H
#define SLUICE_CSSL_KEYS_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static inline EVP_PKEY *cssl_public_key(const char *type, OSSL_PARAM_BLD *builder) {
  EVP_PKEY *key = NULL;
  OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (parameters != NULL && context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
    key = NULL;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  return key;
}

/* A point on P-256, uncompressed (SEC 1 §2.3.3): NULL unless it is on the curve. */
static inline EVP_PKEY *cssl_p256_public_key(const unsigned char *point, size_t size) {
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (builder == NULL) return NULL;
  EVP_PKEY *key = NULL;
  if (OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, size) == 1)
    key = cssl_public_key("EC", builder);
  OSSL_PARAM_BLD_free(builder);
  EVP_PKEY_CTX *check = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  if (key != NULL && EVP_PKEY_public_check(check) != 1) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  EVP_PKEY_CTX_free(check);
  return key;
}

/* An RSA key of a modulus and an exponent, both big-endian. Neither is judged. */
static inline EVP_PKEY *cssl_rsa_public_key(const unsigned char *modulus, int modulus_size,
                                            const unsigned char *exponent, int exponent_size) {
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  BIGNUM *n = BN_bin2bn(modulus, modulus_size, NULL);
  BIGNUM *e = BN_bin2bn(exponent, exponent_size, NULL);
  EVP_PKEY *key = NULL;
  if (builder != NULL && n != NULL && e != NULL &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    key = cssl_public_key("RSA", builder);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  BN_free(e);
  return key;
}

#endif
