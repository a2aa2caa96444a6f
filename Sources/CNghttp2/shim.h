/* nghttp2, as Swift sees it: headers only. */
#include <nghttp2/nghttp2.h>
