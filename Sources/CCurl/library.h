/* The functions of libcurl that are used. */
#ifndef SLUICE_CCURL_LIBRARY_H
#define SLUICE_CCURL_LIBRARY_H

#include <CCurl.h>

/* Three of them are macros of curl.h, too, which look at the types of what they are given. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define CCURL_EACH(one) \
  one(easy_init) one(easy_cleanup) one(easy_setopt) one(easy_getinfo) \
  one(easy_strerror) one(multi_init) one(multi_cleanup) one(multi_add_handle) \
  one(multi_remove_handle) one(multi_perform) one(multi_poll) one(multi_socket_action) \
  one(multi_info_read) one(multi_setopt) one(slist_append) one(slist_free_all)

typedef struct {
#define CCURL_MEMBER(name) __typeof__(curl_##name) *name;
  CCURL_EACH(CCURL_MEMBER)
#undef CCURL_MEMBER
} ccurl_functions;

/* Written once, before ccurl_missing() says that libcurl is there. */
extern ccurl_functions ccurl __attribute__((visibility("hidden")));

#endif
