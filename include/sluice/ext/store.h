/*
 * sluice.store/1 (host): the tenant's database.
 *
 * A write is one value, a *batch*: ordered statements, guards, and the events that the change means. All of it is
 * committed together and is on disk when the completion says SLUICE_OK; or none of it is. There are no interactive
 * transactions. A read is a list of statements in one snapshot that contains every batch acknowledged before it.
 *
 * A plugin owns the tables, indexes, triggers and views that begin with its id and an underscore ("chat_…"; a "-"
 * in the id becomes "_"), made by its migrations. Touching anything else, ATTACH, PRAGMA and transaction control
 * are refused by name.
 */
#ifndef SLUICE_EXT_STORE_H
#define SLUICE_EXT_STORE_H

#include "../host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_EXT_STORE "sluice.store/1"

/* Kinds of value, in binds and in row blocks. */
#define SLUICE_VALUE_NULL 0u
#define SLUICE_VALUE_INTEGER 1u
#define SLUICE_VALUE_REAL 2u
#define SLUICE_VALUE_TEXT 3u
#define SLUICE_VALUE_BLOB 4u
/* In binds only: the column called `bytes` of the first row that statement number `integer` (from 0) returned. */
#define SLUICE_VALUE_REFERENCE 5u

/* A value for the parameter `:name` of a statement. Which members count depends on `kind`. */
typedef struct sluice_bind_v1 {
    sluice_slice_t name; /* without the colon */
    uint32_t kind;       /* SLUICE_VALUE_… */
    uint32_t reserved;
    int64_t integer;
    double real;
    sluice_slice_t bytes; /* text, blob, or the column's name of a reference */
} sluice_bind_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_bind_v1_t) == 56, "bind layout");

#define SLUICE_GUARD_NONE 0u
#define SLUICE_GUARD_EXACTLY 1u  /* as many rows changed or returned as `guard_rows`, else SLUICE_E_CONFLICT */
#define SLUICE_GUARD_AT_LEAST 2u /* at least so many */

typedef struct sluice_statement_v1 {
    sluice_slice_t sql; /* one statement */
    const sluice_bind_v1_t *SLUICE_NULLABLE binds;
    uint32_t bind_count;
    uint32_t guard; /* SLUICE_GUARD_…; in reads SLUICE_GUARD_NONE */
    int64_t guard_rows;
} sluice_statement_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_statement_v1_t) == 40, "statement layout");

/* An event to emit with a batch. Its type must be declared under `emits` in the manifest. */
typedef struct sluice_emit_v1 {
    sluice_slice_t type;
    sluice_slice_t channel; /* absent: for listeners only, no history */
    sluice_slice_t data;    /* JSON */
    /*
     * Absent; or a string of 1 to 255 bytes, and then this event takes the place of every earlier one in the history of
     * `channel` whose data has a member "id" that is this string: in the same transaction those get its type and its
     * data, and keep their offsets, ids and times. What they said is in no history after that, and listeners that
     * have not heard them hear this event in their place. It is published itself as any other.
     */
    sluice_slice_t replaces;
} sluice_emit_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_emit_v1_t) == 64, "emit layout");

typedef struct sluice_batch_v1 {
    const sluice_statement_v1_t *SLUICE_NULLABLE statements;
    const sluice_emit_v1_t *SLUICE_NULLABLE events;
    uint32_t statement_count; /* at most 256 */
    uint32_t event_count;     /* at most 256 */
    uint64_t delivery;        /* 0, or the delivery (ext/events.h) that this batch is the effect of */
    /*
     * 0, or the request (ext/http.h) that this batch is the effect of: the token that the handler was given, also when it has
     * become stale. Where the client has sent an Idempotency-Key the host writes its record in the same transaction, so
     * that a crash never has the request carried out twice. A token of no such request is ignored.
     */
    uint64_t request;
} sluice_batch_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_batch_v1_t) == 40, "batch layout");

/*
 * A row block, the result of a batch or a read: what the statements returned, in one piece of memory. All numbers are
 * little-endian and unaligned.
 *
 *   u32 statement_count, then for each statement
 *     i64 rows_changed
 *     u32 row_count, u32 column_count
 *     column_count × (u32 length, name)
 *     row_count × column_count × cell:   u8 kind, then nothing | i64 | f64 | u32 length, bytes | u32 length, bytes
 *   then, for a batch: u32 event_count, event_count × (u64 sequence, u64 offset); u32 length, epoch.
 *   A read ends after the statements.
 */

typedef struct sluice_store_v1 {
    uint32_t struct_size;
    uint32_t reserved;

    /*
     * Commits the batch. Everything in it is copied before the call returns. The completion's result is a row block.
     * SLUICE_E_CONFLICT: a guard did not hold; result: "statement N: …". SLUICE_E_INVALID: SQL or binds are wrong;
     * result: SQLite's words. SLUICE_E_DENIED: another's table. SLUICE_E_STORAGE_FULL, SLUICE_E_UNAVAILABLE: the
     * disk, or this tenant's file. SLUICE_E_CANCELLED: the tenant is being closed, or the batch's `request` has been
     * carried out before; at once, from the call itself: it was given up, a minute after its client left or its time was
     * over, so that the next attempt may be under way. SLUICE_E_OVERLOADED at once, from the call itself: the queue is full.
     * [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL commit)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                             const sluice_batch_v1_t *SLUICE_NONNULL batch,
                                             sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /* Reads in one snapshot. As `commit`, without guards and events. [loop-thread & ACTIVE|DRAINING] */
    sluice_status_t (*SLUICE_NONNULL read)(const sluice_host_v1_t *SLUICE_NONNULL host,
                                           const sluice_statement_v1_t *SLUICE_NONNULL statements, uint32_t count,
                                           sluice_completion_fn SLUICE_NONNULL completion, uint64_t context);
    /*
     * Whether the tenant's data may become more: SLUICE_OK; or SLUICE_E_LIMITED, and counted as a refusal, when it has
     * used up what its plan lets it store. The host asks this itself of requests (but DELETE, GET, HEAD) and of messages that it
     * dispatches; a plugin asks it before it writes for a client whose message it has taken from a socket by itself. What is
     * asked here commits all the same if the plugin goes on. [loop-thread & ACTIVE|DRAINING]
     */
    sluice_status_t (*SLUICE_NONNULL room)(const sluice_host_v1_t *SLUICE_NONNULL host);
} sluice_store_v1_t;

SLUICE_STATIC_ASSERT(sizeof(sluice_store_v1_t) == 32, "store table layout");

#ifdef __cplusplus
}
#endif
#endif
