/*
 * libcurl, as Swift sees it. Setting an option and asking for a fact take variable arguments, which Swift cannot call, so
 * each kind has a function here.
 */
#ifndef SLUICE_CCURL_SHIM_H
#define SLUICE_CCURL_SHIM_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline CURLcode ccurl_set_number(CURL *transfer, CURLoption option, long value) {
  return curl_easy_setopt(transfer, option, value);
}

/* The text is copied. */
static inline CURLcode ccurl_set_text(CURL *transfer, CURLoption option, const char *value) {
  return curl_easy_setopt(transfer, option, value);
}

/* The list is borrowed until the transfer ends. */
static inline CURLcode ccurl_set_list(CURL *transfer, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(transfer, option, value);
}

/* The status of the server's last answer; 0 when there was none. */
static inline long ccurl_response_code(CURL *transfer) {
  long code = 0;
  curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

/* Bytes on their way out: borrowed until the transfer ends. */
typedef struct {
  const char *bytes;
  size_t length;
  size_t sent;
} ccurl_upload;

static inline size_t ccurl_read_upload(char *buffer, size_t size, size_t count, void *context) {
  ccurl_upload *upload = (ccurl_upload *)context;
  size_t room = size * count;
  size_t rest = upload->length - upload->sent;
  size_t now = rest < room ? rest : room;
  memcpy(buffer, upload->bytes + upload->sent, now);
  upload->sent += now;
  return now;
}

static inline void ccurl_set_upload(CURL *transfer, ccurl_upload *upload) {
  curl_easy_setopt(transfer, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(transfer, CURLOPT_READFUNCTION, ccurl_read_upload);
  curl_easy_setopt(transfer, CURLOPT_READDATA, upload);
}

static inline int ccurl_look_at_flag(void *context, curl_off_t to_come, curl_off_t come, curl_off_t to_go, curl_off_t gone) {
  (void)to_come;
  (void)come;
  (void)to_go;
  (void)gone;
  return *(const int *)context;
}

/*
 * Ends the transfer with CURLE_ABORTED_BY_CALLBACK at its next step when the flag is not 0; borrowed until the transfer ends.
 * Removing a transfer from its multi handle is no way to break off one of SMTP: libcurl then ends the message as if
 * it were whole, and waits for the answer.
 */
static inline void ccurl_end_when(CURL *transfer, const int *flag) {
  curl_easy_setopt(transfer, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(transfer, CURLOPT_XFERINFOFUNCTION, ccurl_look_at_flag);
  curl_easy_setopt(transfer, CURLOPT_XFERINFODATA, (void *)flag);
}

/* Whether an IPv4 address in host order is one of the internet at large (RFC 6890). */
static inline int ccurl_is_public_v4(uint32_t a) {
  return !((a >> 24) == 0 || (a >> 24) == 10 || (a >> 24) == 127 || (a >> 22) == (0x64400000u >> 22) ||
           (a >> 16) == 0xA9FE || (a >> 20) == 0xAC1 || (a >> 8) == 0xC00000 || (a >> 16) == 0xC0A8 ||
           (a >> 17) == (0xC6120000u >> 17) || (a >> 28) >= 14);
}

static inline int ccurl_is_public(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    return ccurl_is_public_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    const unsigned char *b = v6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      return ccurl_is_public_v4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
    }
    /* Global unicast is 2000::/3; of it, 2001::/23 is for protocols, one of which wraps IPv4, 2001:db8::/32 and 3fff::/20 are
     * for examples, and 2002::/16 wraps IPv4. */
    return (b[0] & 0xE0) == 0x20 && !(b[0] == 0x20 && b[1] == 0x01 && (b[2] & 0xFE) == 0) &&
           !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0D && b[3] == 0xB8) && !(b[0] == 0x20 && b[1] == 0x02) &&
           !(b[0] == 0x3F && b[1] == 0xFF && (b[2] & 0xF0) == 0);
  }
  return 0;
}

static inline curl_socket_t ccurl_open_public(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)context;
  (void)purpose;
  if (!ccurl_is_public(&address->addr)) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Refuses every address that is not one of the internet at large, after the name has been resolved. */
static inline void ccurl_allow_public_only(CURL *transfer) {
  curl_easy_setopt(transfer, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_public);
}

/* What of a transfer is told to whom: functions that take `context` last. */
static inline void ccurl_tell(CURL *transfer, curl_write_callback on_body, curl_write_callback on_field,
                              curl_opensocket_callback on_address, void *context) {
  curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(transfer, CURLOPT_WRITEDATA, context);
  curl_easy_setopt(transfer, CURLOPT_HEADERFUNCTION, on_field);
  curl_easy_setopt(transfer, CURLOPT_HEADERDATA, context);
  curl_easy_setopt(transfer, CURLOPT_OPENSOCKETFUNCTION, on_address);
  curl_easy_setopt(transfer, CURLOPT_OPENSOCKETDATA, context);
  curl_easy_setopt(transfer, CURLOPT_PRIVATE, context);
}

/* What was given to `ccurl_tell`. */
static inline void *ccurl_context(CURL *transfer) {
  char *context = NULL;
  curl_easy_getinfo(transfer, CURLINFO_PRIVATE, &context);
  return context;
}

/* A body of a request: borrowed until the transfer ends. */
static inline void ccurl_set_body(CURL *transfer, const void *bytes, size_t length) {
  curl_easy_setopt(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
  curl_easy_setopt(transfer, CURLOPT_POSTFIELDS, bytes);
}

/* Where libcurl says what is wrong: CURL_ERROR_SIZE bytes, borrowed until the transfer ends. */
static inline void ccurl_set_error_buffer(CURL *transfer, char *buffer) {
  curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, buffer);
}

/* Who watches the sockets of many transfers, and the time until something is to be done without any. */
static inline void ccurl_multi_tell(CURLM *transfers, curl_socket_callback on_socket, curl_multi_timer_callback on_timer,
                                    void *context) {
  curl_multi_setopt(transfers, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(transfers, CURLMOPT_SOCKETDATA, context);
  curl_multi_setopt(transfers, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(transfers, CURLMOPT_TIMERDATA, context);
}

static inline void ccurl_multi_set_number(CURLM *transfers, CURLMoption option, long value) {
  curl_multi_setopt(transfers, option, value);
}

#endif
