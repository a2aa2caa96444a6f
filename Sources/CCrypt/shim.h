/* libcrypt, as Swift sees it: headers only. Its calls block for tens of milliseconds and more: worker threads only. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <crypt.h>
#include <string.h>
