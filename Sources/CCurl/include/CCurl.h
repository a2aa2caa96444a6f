/*
 * libcurl, as Swift sees it. It is loaded when it is first asked for: with the libraries that it brings along it takes 4 MB, which a
 * gateway that asks nobody anything need not have.
 *
 * Whoever begins with ccurl_easy_init or ccurl_multi_init has it loaded; both are NULL without it, and ccurl_missing() says why.
 * The other functions take what these two made. [any-thread]
 *
 * Setting an option and asking for a fact take variable arguments, which Swift cannot call, so each kind has a function here.
 */
#ifndef SLUICE_CCURL_H
#define SLUICE_CCURL_H

#include <curl/curl.h>
#include <sys/socket.h>

/* Loads libcurl, once for the process: it reads files, so no loop's thread should be the first to ask. NULL: it is there; else why not,
 * with static lifetime. */
const char *ccurl_missing(void);

/* libcurl's functions of the same names. */
CURL *ccurl_easy_init(void);
void ccurl_easy_cleanup(CURL *transfer);
const char *ccurl_easy_strerror(CURLcode code);
CURLM *ccurl_multi_init(void);
void ccurl_multi_cleanup(CURLM *transfers);
CURLMcode ccurl_multi_add_handle(CURLM *transfers, CURL *transfer);
CURLMcode ccurl_multi_remove_handle(CURLM *transfers, CURL *transfer);
CURLMcode ccurl_multi_perform(CURLM *transfers, int *running);
CURLMcode ccurl_multi_poll(CURLM *transfers, int milliseconds);
CURLMcode ccurl_multi_socket_action(CURLM *transfers, curl_socket_t socket, int events, int *running);
CURLMsg *ccurl_multi_info_read(CURLM *transfers, int *left);
struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text);
void ccurl_slist_free_all(struct curl_slist *list);

CURLcode ccurl_set_number(CURL *transfer, CURLoption option, long value);
/* The text is copied. */
CURLcode ccurl_set_text(CURL *transfer, CURLoption option, const char *value);
/* The list is borrowed until the transfer ends. */
CURLcode ccurl_set_list(CURL *transfer, CURLoption option, struct curl_slist *value);

/* The status of the server's last answer; 0 when there was none. */
long ccurl_response_code(CURL *transfer);

/* Bytes on their way out: borrowed until the transfer ends. */
typedef struct {
  const char *bytes;
  size_t length;
  size_t sent;
} ccurl_upload;

void ccurl_set_upload(CURL *transfer, ccurl_upload *upload);

/*
 * Ends the transfer with CURLE_ABORTED_BY_CALLBACK at its next step when the flag is not 0; borrowed until the transfer ends.
 * Removing a transfer from its multi handle is no way to break off one of SMTP: libcurl then ends the message as if
 * it were whole, and waits for the answer.
 */
void ccurl_end_when(CURL *transfer, const int *flag);

/* Whether an address is one of the internet at large (RFC 6890). It needs no libcurl. */
int ccurl_is_public(const struct sockaddr *address);

/* Refuses every address that is not one of the internet at large, after the name has been resolved. */
void ccurl_allow_public_only(CURL *transfer);

/* What of a transfer is told to whom: functions that take `context` last. */
void ccurl_tell(CURL *transfer, curl_write_callback on_body, curl_write_callback on_field,
                curl_opensocket_callback on_address, void *context);

/* A body of a request: borrowed until the transfer ends. */
void ccurl_set_body(CURL *transfer, const void *bytes, size_t length);

/* Where libcurl says what is wrong: CURL_ERROR_SIZE bytes, borrowed until the transfer ends. */
void ccurl_set_error_buffer(CURL *transfer, char *buffer);

/* Who watches the sockets of many transfers, and the time until something is to be done without any. */
void ccurl_multi_tell(CURLM *transfers, curl_socket_callback on_socket, curl_multi_timer_callback on_timer,
                      void *context);

void ccurl_multi_set_number(CURLM *transfers, CURLMoption option, long value);

#endif
