/*
 * Sluice plugin contract: the values that cross it.
 *
 * Everything that crosses the contract is a fixed-width integer, a slice or a token. There is no bool, no enum, no
 * size_t, no union, no bit-field, no varargs and no errno anywhere, so that a plugin may be written in any language
 * and may one day run in another process without a change to its source.
 *
 * Conventions of every header in this folder:
 *
 *   [control-thread]  called on the one thread that loads plugins and creates instances; may take its time
 *   [loop-thread]     called on the thread of the shard's event loop; never two calls at once for one shard; must not
 *                     block: what takes longer than about a millisecond belongs to sluice.worker/1
 *   [worker-thread]   called on a thread of a worker pool; may block; must not call the host except where said
 *   [any-thread]      may be called from any thread at any time while the named state lasts
 *
 *   The word after the ampersand is the state that must hold (see plugin.h): LOADED, CREATED, ACTIVE, DRAINING.
 *
 *   A slice handed to a function is borrowed: it is valid until that function returns. A slice returned by the host
 *   is borrowed too: it is valid until the plugin returns from the callback in which it obtained the slice, unless
 *   the function says that it lives longer. Nobody frees what the other side allocated.
 */
#ifndef SLUICE_TYPES_H
#define SLUICE_TYPES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Swift reads these as non-optional and optional; a C compiler that warns of extensions never sees them. */
#if defined(__swift__) || defined(SLUICE_WITH_NULLABILITY)
#define SLUICE_NONNULL _Nonnull
#define SLUICE_NULLABLE _Nullable
#else
#define SLUICE_NONNULL
#define SLUICE_NULLABLE
#endif

#if defined(__GNUC__)
#define SLUICE_EXPORT __attribute__((visibility("default")))
#else
#define SLUICE_EXPORT
#endif

#if defined(__cplusplus)
#define SLUICE_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define SLUICE_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* Version of this contract. Equal majors work together, whatever the minors; the minor only informs. */
#define SLUICE_ABI_MAJOR 1
#define SLUICE_ABI_MINOR 0

/*
 * Bytes that somebody else owns. `bytes == NULL` means "absent"; an empty value that is present has a non-NULL
 * pointer and length 0. Text is UTF-8 and is not terminated by a zero byte.
 */
typedef struct sluice_slice {
    const uint8_t *SLUICE_NULLABLE bytes;
    uint64_t length; /* in bytes */
} sluice_slice_t;

/* A result code: SLUICE_OK, SLUICE_PENDING or one of the negative codes of status.h. */
typedef int32_t sluice_status_t;

/*
 * A generation-checked handle: a request, a connection, a call, a timer. It is a value, never an address. Once what
 * it named is gone every function answers SLUICE_E_STALE for it; it is never reused for something else. 0 is none.
 */
typedef uint64_t sluice_token_t;

/*
 * How every asynchronous host call ends, exactly once, on the loop of the shard that made the call, after the
 * plugin has returned from the callback in which it made it; never from inside the call itself.
 *
 * `context` is what the plugin passed, `status` says how it went, `result` is stated at each call and is borrowed
 * until the function returns. With a negative status the result may hold a problem text in UTF-8 (or be absent).
 * A shard that is closed gets its outstanding completions with SLUICE_E_CANCELLED before its `close`.
 *
 * [loop-thread & ACTIVE|DRAINING]
 */
typedef void (*sluice_completion_fn)(uint64_t context, sluice_status_t status, sluice_slice_t result);

/* Takes bytes from whoever is called; they are copied before it returns. `sink` is what came with the call, and is good
 * until that call returns. [the caller's thread] */
typedef void (*sluice_sink_fn)(uint64_t sink, sluice_slice_t bytes);

SLUICE_STATIC_ASSERT(sizeof(void *) == 8, "the contract is defined for 64-bit platforms");
SLUICE_STATIC_ASSERT(sizeof(sluice_slice_t) == 16, "slice layout");

#ifdef __cplusplus
}
#endif
#endif
