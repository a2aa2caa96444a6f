/* zlib, as Swift sees it: headers only. Input is never written to. */
#define ZLIB_CONST
#include <zlib.h>
