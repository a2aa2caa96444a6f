/*
 * Two ways to be wrong, for the torture to find: what it is worth is that it fails on them. Preloaded beside torn_disk.c,
 * these functions stand in front of SQLite's own.
 *
 * TORN_CONTROL=synchronous-off: whoever asks for synchronous=FULL gets OFF.
 * TORN_CONTROL=early-answer: COMMIT says that it is done and is run before the connection's next statement, so that whoever waits
 * for it answers first and is durable later.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static int is_off, is_early;

__attribute__((constructor)) static void choose(void) {
    const char *control = getenv("TORN_CONTROL");
    is_off = control && strcmp(control, "synchronous-off") == 0;
    is_early = control && strcmp(control, "early-answer") == 0;
}

int sqlite3_exec(
    sqlite3 *connection, const char *sql, int (*row)(void *, int, char **, char **), void *context, char **error) {
    static int (*genuine)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
    if (!genuine) *(void **)&genuine = dlsym(RTLD_NEXT, "sqlite3_exec");
    if (is_off && sql && strcmp(sql, "PRAGMA synchronous=FULL") == 0) sql = "PRAGMA synchronous=OFF";
    return genuine(connection, sql, row, context, error);
}

/* A writer has its connections to itself, so what one has put off only its own thread looks at. */
static _Thread_local sqlite3_stmt *put_off[64];

int sqlite3_step(sqlite3_stmt *statement) {
    static int (*genuine)(sqlite3_stmt *);
    if (!genuine) *(void **)&genuine = dlsym(RTLD_NEXT, "sqlite3_step");
    if (!is_early) return genuine(statement);
    sqlite3 *connection = sqlite3_db_handle(statement);
    for (int index = 0; index < 64; index++) {
        if (!put_off[index] || sqlite3_db_handle(put_off[index]) != connection) continue;
        sqlite3_stmt *commit = put_off[index];
        put_off[index] = NULL;
        genuine(commit);
        sqlite3_reset(commit);
    }
    const char *sql = sqlite3_sql(statement);
    if (sql && strcmp(sql, "COMMIT") == 0 && sqlite3_txn_state(connection, "main") == SQLITE_TXN_WRITE) {
        for (int index = 0; index < 64; index++) {
            if (put_off[index]) continue;
            put_off[index] = statement;
            return SQLITE_DONE;
        }
    }
    return genuine(statement);
}
