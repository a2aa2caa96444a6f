#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

ccurl_functions ccurl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char reason[256];

/* The name that its interface has had since 2006. */
static const char library_name[] = "libcurl.so.4";

static void *find(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (!function && !reason[0]) snprintf(reason, sizeof reason, "%s has no %s", library_name, name);
  return function;
}

static void load(void) {
  void *library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *why = dlerror();
    snprintf(reason, sizeof reason, "%s", why ? why : "libcurl.so.4 cannot be loaded");
    return;
  }
  ccurl_functions found = {0};
#define CCURL_FIND(name) *(void **)&found.name = find(library, "curl_" #name);
  CCURL_EACH(CCURL_FIND)
#undef CCURL_FIND
  if (!reason[0]) ccurl = found;
}

const char *ccurl_missing(void) {
  pthread_once(&once, load);
  return reason[0] ? reason : NULL;
}
