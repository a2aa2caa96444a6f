#include "library.h"

#include <string.h>
#include <unistd.h>

CURL *ccurl_easy_init(void) { return ccurl_missing() ? NULL : ccurl.easy_init(); }

void ccurl_easy_cleanup(CURL *transfer) { ccurl.easy_cleanup(transfer); }

const char *ccurl_easy_strerror(CURLcode code) {
  const char *missing = ccurl_missing();
  return missing ? missing : ccurl.easy_strerror(code);
}

CURLM *ccurl_multi_init(void) { return ccurl_missing() ? NULL : ccurl.multi_init(); }

void ccurl_multi_cleanup(CURLM *transfers) { ccurl.multi_cleanup(transfers); }

CURLMcode ccurl_multi_add_handle(CURLM *transfers, CURL *transfer) {
  return ccurl.multi_add_handle(transfers, transfer);
}

CURLMcode ccurl_multi_remove_handle(CURLM *transfers, CURL *transfer) {
  return ccurl.multi_remove_handle(transfers, transfer);
}

CURLMcode ccurl_multi_perform(CURLM *transfers, int *running) { return ccurl.multi_perform(transfers, running); }

CURLMcode ccurl_multi_poll(CURLM *transfers, int milliseconds) {
  return ccurl.multi_poll(transfers, NULL, 0, milliseconds, NULL);
}

CURLMcode ccurl_multi_socket_action(CURLM *transfers, curl_socket_t socket, int events, int *running) {
  return ccurl.multi_socket_action(transfers, socket, events, running);
}

CURLMsg *ccurl_multi_info_read(CURLM *transfers, int *left) { return ccurl.multi_info_read(transfers, left); }

struct curl_slist *ccurl_slist_append(struct curl_slist *list, const char *text) {
  return ccurl.slist_append(list, text);
}

void ccurl_slist_free_all(struct curl_slist *list) { ccurl.slist_free_all(list); }

CURLcode ccurl_set_number(CURL *transfer, CURLoption option, long value) {
  return ccurl.easy_setopt(transfer, option, value);
}

CURLcode ccurl_set_text(CURL *transfer, CURLoption option, const char *value) {
  return ccurl.easy_setopt(transfer, option, value);
}

CURLcode ccurl_set_list(CURL *transfer, CURLoption option, struct curl_slist *value) {
  return ccurl.easy_setopt(transfer, option, value);
}

long ccurl_response_code(CURL *transfer) {
  long code = 0;
  ccurl.easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

static size_t read_upload(char *buffer, size_t size, size_t count, void *context) {
  ccurl_upload *upload = (ccurl_upload *)context;
  size_t room = size * count;
  size_t rest = upload->length - upload->sent;
  size_t now = rest < room ? rest : room;
  memcpy(buffer, upload->bytes + upload->sent, now);
  upload->sent += now;
  return now;
}

void ccurl_set_upload(CURL *transfer, ccurl_upload *upload) {
  ccurl.easy_setopt(transfer, CURLOPT_UPLOAD, 1L);
  ccurl.easy_setopt(transfer, CURLOPT_READFUNCTION, read_upload);
  ccurl.easy_setopt(transfer, CURLOPT_READDATA, upload);
}

static int look_at_flag(void *context, curl_off_t to_come, curl_off_t come, curl_off_t to_go, curl_off_t gone) {
  (void)to_come;
  (void)come;
  (void)to_go;
  (void)gone;
  return *(const int *)context;
}

void ccurl_end_when(CURL *transfer, const int *flag) {
  ccurl.easy_setopt(transfer, CURLOPT_NOPROGRESS, 0L);
  ccurl.easy_setopt(transfer, CURLOPT_XFERINFOFUNCTION, look_at_flag);
  ccurl.easy_setopt(transfer, CURLOPT_XFERINFODATA, (void *)flag);
}

static curl_socket_t open_public(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)context;
  (void)purpose;
  if (!ccurl_is_public(&address->addr)) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void ccurl_allow_public_only(CURL *transfer) {
  ccurl.easy_setopt(transfer, CURLOPT_OPENSOCKETFUNCTION, open_public);
}

void ccurl_tell(CURL *transfer, curl_write_callback on_body, curl_write_callback on_field,
                curl_opensocket_callback on_address, void *context) {
  ccurl.easy_setopt(transfer, CURLOPT_WRITEFUNCTION, on_body);
  ccurl.easy_setopt(transfer, CURLOPT_WRITEDATA, context);
  ccurl.easy_setopt(transfer, CURLOPT_HEADERFUNCTION, on_field);
  ccurl.easy_setopt(transfer, CURLOPT_HEADERDATA, context);
  ccurl.easy_setopt(transfer, CURLOPT_OPENSOCKETFUNCTION, on_address);
  ccurl.easy_setopt(transfer, CURLOPT_OPENSOCKETDATA, context);
  ccurl.easy_setopt(transfer, CURLOPT_PRIVATE, context);
}

void ccurl_set_body(CURL *transfer, const void *bytes, size_t length) {
  ccurl.easy_setopt(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
  ccurl.easy_setopt(transfer, CURLOPT_POSTFIELDS, bytes);
}

void ccurl_set_error_buffer(CURL *transfer, char *buffer) {
  ccurl.easy_setopt(transfer, CURLOPT_ERRORBUFFER, buffer);
}

void ccurl_multi_tell(CURLM *transfers, curl_socket_callback on_socket, curl_multi_timer_callback on_timer,
                      void *context) {
  ccurl.multi_setopt(transfers, CURLMOPT_SOCKETFUNCTION, on_socket);
  ccurl.multi_setopt(transfers, CURLMOPT_SOCKETDATA, context);
  ccurl.multi_setopt(transfers, CURLMOPT_TIMERFUNCTION, on_timer);
  ccurl.multi_setopt(transfers, CURLMOPT_TIMERDATA, context);
}

void ccurl_multi_set_number(CURLM *transfers, CURLMoption option, long value) {
  ccurl.multi_setopt(transfers, option, value);
}
