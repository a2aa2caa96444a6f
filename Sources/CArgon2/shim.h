/* libargon2, as Swift sees it: headers only. Its calls block for tens of milliseconds: worker threads only. */
#include <argon2.h>
