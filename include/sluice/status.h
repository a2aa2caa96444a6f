/*
 * Sluice plugin contract: result codes.
 *
 * One list for both directions. Zero and positive values are success, negative ones are failures. A code never
 * changes its meaning and is never reused; new codes may be added, so treat an unknown negative value as
 * SLUICE_E_INTERNAL. The HTTP status in brackets is what the host answers when a request handler returns the code.
 */
#ifndef SLUICE_STATUS_H
#define SLUICE_STATUS_H

#include "types.h"

#define SLUICE_OK 0      /* done; where there is an answer, it has been given */
#define SLUICE_PENDING 1 /* the answer comes later, through the completion or the token */

#define SLUICE_E_INTERNAL (-1)       /* something broke that the caller cannot mend                  [500] */
#define SLUICE_E_INVALID (-2)        /* an argument is malformed; nothing was changed                [400] */
#define SLUICE_E_STALE (-3)          /* the token names something that is gone                       [500] */
#define SLUICE_E_UNSUPPORTED (-4)    /* this side does not know the function, handler or method      [500] */
#define SLUICE_E_WRONG_THREAD (-5)   /* called on a thread on which it may not be called             [500] */
#define SLUICE_E_WRONG_STATE (-6)    /* called in a state in which it may not be called              [500] */
#define SLUICE_E_DENIED (-7)         /* not granted, or not yours                                    [403] */
#define SLUICE_E_NOT_FOUND (-8)      /* there is no such thing                                       [404] */
#define SLUICE_E_CONFLICT (-9)       /* a guard failed, or it exists already                         [409] */
#define SLUICE_E_UNAUTHENTICATED (-10) /* the credential is missing, wrong or expired                [401] */
#define SLUICE_E_TOO_LARGE (-11)     /* over a stated bound                                          [413] */
#define SLUICE_E_OVERLOADED (-12)    /* a bounded queue is full; try again later                     [503] */
#define SLUICE_E_UNAVAILABLE (-13)   /* what is needed is not there now; try again later             [503] */
#define SLUICE_E_STORAGE_FULL (-14)  /* the disk is full; nothing was written                        [503] */
#define SLUICE_E_DEADLINE (-15)      /* time ran out                                                 [504] */
#define SLUICE_E_CANCELLED (-16)     /* the peer went away, or the shard is closing                  [503] */
#define SLUICE_E_CONFIG (-17)        /* the tenant's configuration is refused; see sluice.config/1   [500] */
#define SLUICE_E_LIMITED (-18)       /* over a rate or a quota                                       [429] */
#define SLUICE_E_EXPIRED (-19)       /* the credential was good once: get a new one                  [401] */

#endif
