/*
 * What Swift cannot import from sqlite3.h: variadic functions and destructor casts.
 * Bytes passed to the bind functions are copied before they return.
 */
#ifndef SLUICE_CSQLITE_SHIM_H
#define SLUICE_CSQLITE_SHIM_H

#include <sqlite3.h>
#include <stdint.h>

static inline int sluice_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *bytes, uint64_t count) {
    return sqlite3_bind_text64(statement, index, bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int sluice_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, uint64_t count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/* Sets one on/off SQLITE_DBCONFIG_… option of a connection. */
static inline int sluice_sqlite_set_flag(sqlite3 *connection, int option, int value) {
    return sqlite3_db_config(connection, option, value, (int *)0);
}

/*
 * Turns off the process-wide memory statistics, whose mutex every allocation of every connection would take.
 * Has effect only before the library is first used; afterwards it does nothing.
 */
static inline int sluice_sqlite_disable_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

/*
 * Has no connection take a block of pages before it needs the first: a statement with RETURNING or a sort opens a database in
 * memory of its own, which would take and give back 88 KB. Has effect only before the library is first used.
 */
static inline int sluice_sqlite_disable_page_blocks(void) { return sqlite3_config(SQLITE_CONFIG_PAGECACHE, (void *)0, 0, 0); }

/* Has the database file of a connection on disk, without its log. What SQLite's file answers. */
static inline int sluice_sqlite_sync_file(sqlite3 *connection) {
    sqlite3_file *file = 0;
    int result = sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (result != SQLITE_OK || !file || !file->pMethods) return result;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

#endif
