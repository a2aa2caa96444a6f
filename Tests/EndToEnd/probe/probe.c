/* A plugin whose handlers do what they should not, and a few things that they should; over 400 lines, a case each. */
#define _POSIX_C_SOURCE 200809L
#include "../plugin.h"

#include <pthread.h>
#include <time.h>

/* What a test bends. */
#ifndef PROBE_MAJOR
#define PROBE_MAJOR SLUICE_ABI_MAJOR
#endif
#ifndef PROBE_ENTRY
#define PROBE_ENTRY sluice_plugin_entry_v1
#endif
#ifndef PROBE_ID
#define PROBE_ID "probe"
#endif
#ifndef PROBE_VERSION
#define PROBE_VERSION "0.1.0"
#endif
#ifndef PROBE_OPENS
#define PROBE_OPENS SLUICE_OK
#endif

enum {
    SILENT, NOTHING, BROKEN, UNKNOWN_STATUS, LATER, POSTED, AT_ONCE, SQL, CONFIG, PIECES, FLOOD, ECHO, STREAM,
    EMIT, NOISE, SLEEP, SLOW_WRITE, SLOW_READ, CLIENT, ELSEWHERE, TOO_LATE, VERSION, BLOCK, HOARD, RELEASE, EMIT_SLOWLY, REFUSE, COUNT
};

static const char *const names[COUNT] = {
    "silent", "nothing", "broken", "unknown_status", "later", "posted", "at_once", "sql", "config", "pieces", "flood",
    "echo", "stream", "emit", "noise", "sleep", "slow_write", "slow_read", "client",
    "elsewhere", "too_late", "version", "block", "hoard", "release", "emit_slowly", "refuse",
};

typedef struct shard {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_store_v1_t *store;
    const sluice_timer_v1_t *timer;
    const sluice_loop_v1_t *loop;
    const sluice_config_v1_t *config;
    const sluice_clock_v1_t *clock;
    const sluice_websocket_v1_t *websocket;
    const sluice_client_certificate_v1_t *certificate;
} shard_t;

/* What is remembered of a request between two callbacks. */
typedef struct job {
    const shard_t *shard;
    sluice_token_t request;
    sluice_slice_t name;
    int ended;
} job_t;

static sluice_slice_t text(void) { return LITERAL("text/plain"); }

static job_t *remember(const shard_t *shard, sluice_token_t request) {
    job_t *job = calloc(1, sizeof *job);
    if (job == NULL) abort();
    job->shard = shard;
    job->request = request;
    return job;
}

static void answer_later(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    (void)status, (void)result;
    sluice_slice_t body = job->name.bytes != NULL ? job->name : LITERAL("later");
    job->shard->http->respond(job->shard->host, job->request, 200, text(), body);
    free(job);
}

static void sql_failed(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    const sluice_http_v1_t *http = job->shard->http;
    if (status == SLUICE_E_INVALID)
        http->respond(job->shard->host, job->request, 200, text(), result);
    else
        http->problem(job->shard->host, job->request, 500, LITERAL("internal"), LITERAL("not refused"), ABSENT);
    free(job);
}

static void emitted(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    const sluice_http_v1_t *http = job->shard->http;
    (void)result;
    if (status == SLUICE_OK)
        http->respond(job->shard->host, job->request, 201, text(), LITERAL("emitted"));
    else
        http->problem(job->shard->host, job->request, 500, LITERAL("internal"), LITERAL("not emitted"), ABSENT);
    free(job);
}

/* Answers long after the commit: a gateway that is killed between the two has carried the request out. */
static void emitted_slowly(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    if (status != SLUICE_OK) {
        emitted(context, status, result);
    } else if (!job->shard->timer->start(job->shard->host, 700, 0, answer_later, context)) {
        free(job);
    }
}

/* A getter of the loop's thread, called on another while the handler waits. */
static void *read_elsewhere(void *context) {
    job_t *job = context;
    job->name = job->shard->http->path(job->shard->host, job->request);
    return NULL;
}

/* A host table that is gone: where calls are checked it may still be asked, and the answer is a refusal. */
static shard_t gone;

/* Memory that is held for nothing. */
static void *hoard;

/* The request's first path parameter, a number. */
static long number(const shard_t *shard, sluice_token_t request) {
    sluice_slice_t digits = shard->http->path_parameter(shard->host, request, 0);
    long value = 0;
    for (uint64_t index = 0; index < digits.length; index++) value = value * 10 + (digits.bytes[index] - '0');
    return value;
}

static void flood(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    static uint8_t piece[65536];
    job_t *job = (job_t *)(uintptr_t)context;
    (void)result;
    while (status == SLUICE_OK)
        status = job->shard->http->write(job->shard->host, job->request, (sluice_slice_t){piece, sizeof piece}, flood,
                                         context);
    if (status < 0) free(job);
}

static void stream_read(uint64_t context, sluice_status_t status, sluice_slice_t piece);

static void stream_written(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    (void)result;
    if (status == SLUICE_OK)
        status = job->shard->http->read(job->shard->host, job->request, stream_read, context);
    if (status < 0) free(job);
}

static void stream_read(uint64_t context, sluice_status_t status, sluice_slice_t piece) {
    job_t *job = (job_t *)(uintptr_t)context;
    const sluice_http_v1_t *http = job->shard->http;
    if (status < 0) {
        free(job);
        return;
    }
    if (piece.length == 0) {
        http->end(job->shard->host, job->request);
        free(job);
        return;
    }
    sluice_status_t written = http->write(job->shard->host, job->request, piece, stream_written, context);
    if (written == SLUICE_OK) stream_written(context, SLUICE_OK, ABSENT);
    if (written < 0) free(job);
}

static void oversleep(void) { nanosleep(&(struct timespec){0, 60 * 1000 * 1000}, NULL); }

static void slowly_written(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    (void)result;
    oversleep();
    if (status == SLUICE_OK) job->shard->http->end(job->shard->host, job->request);
    free(job);
}

static void slowly_read(uint64_t context, sluice_status_t status, sluice_slice_t piece) {
    job_t *job = (job_t *)(uintptr_t)context;
    (void)piece;
    oversleep();
    if (status == SLUICE_OK) job->shard->http->respond(job->shard->host, job->request, 200, text(), LITERAL("read"));
    free(job);
}

static void ignore(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    (void)context, (void)status, (void)result;
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    for (uint32_t index = 0; index < COUNT; index++) {
        if (strlen(names[index]) == name.length && memcmp(names[index], name.bytes, name.length) == 0) {
            *handler = index;
            return SLUICE_OK;
        }
    }
    return SLUICE_E_NOT_FOUND;
}

static sluice_status_t handle(uint64_t value, uint32_t handler, sluice_token_t request) {
    const shard_t *shard = (const shard_t *)(uintptr_t)value;
    const sluice_host_v1_t *host = shard->host;
    const sluice_http_v1_t *http = shard->http;
    job_t *job;
    sluice_statement_v1_t statement = {0};
    sluice_batch_v1_t batch = {0};
    sluice_emit_v1_t emit = {0};
    sluice_status_t status;
    switch (handler) {
    case SILENT: return SLUICE_PENDING;
    case NOTHING: return SLUICE_OK;
    case BROKEN: return SLUICE_E_INTERNAL;
    case UNKNOWN_STATUS: return -4711;
    case LATER:
        job = remember(shard, request);
        return shard->timer->start(host, 700, 0, answer_later, (uint64_t)(uintptr_t)job) ? SLUICE_PENDING
                                                                                         : SLUICE_E_OVERLOADED;
    case POSTED:
        job = remember(shard, request);
        /* A slice of a request that is kept lives as long as its token. */
        if (http->keep(host, request) != SLUICE_OK) return SLUICE_E_INTERNAL;
        job->name = http->path_parameter(host, request, 0);
        status = shard->loop->post(host, answer_later, (uint64_t)(uintptr_t)job);
        return status == SLUICE_OK ? SLUICE_PENDING : status;
    case AT_ONCE: return http->respond(host, request, 200, text(), http->path_parameter(host, request, 0));
    case SQL:
        job = remember(shard, request);
        statement.sql = LITERAL("INSERT INTO probe_secret_table (hidden_column) VALUES (1)");
        batch.statements = &statement;
        batch.statement_count = 1;
        status = shard->store->commit(host, &batch, sql_failed, (uint64_t)(uintptr_t)job);
        return status < 0 ? status : SLUICE_PENDING;
    case CONFIG: return http->respond(host, request, 200, LITERAL("application/json"), shard->config->get(host));
    case PIECES:
        status = http->begin(host, request, 200, text(), -1);
        if (status == SLUICE_OK) status = http->write(host, request, LITERAL("one "), ignore, 0);
        if (status >= 0) status = http->write(host, request, LITERAL("two "), ignore, 0);
        if (status >= 0) status = http->write(host, request, LITERAL("three"), ignore, 0);
        return status < 0 ? status : http->end(host, request);
    case FLOOD:
        status = http->begin(host, request, 200, text(), -1);
        if (status != SLUICE_OK) return status;
        flood((uint64_t)(uintptr_t)remember(shard, request), SLUICE_OK, ABSENT);
        return SLUICE_PENDING;
    case ECHO: return http->respond(host, request, 200, LITERAL("application/octet-stream"), http->body(host, request));
    case EMIT:
    case EMIT_SLOWLY:
    case NOISE:
        emit.type = handler == NOISE ? LITERAL("probe.noise") : LITERAL("probe.made");
        emit.data = http->body(host, request);
        batch.events = &emit;
        batch.event_count = 1;
        batch.request = request;
        job = remember(shard, request);
        status = shard->store->commit(host, &batch, handler == EMIT_SLOWLY ? emitted_slowly : emitted,
                                      (uint64_t)(uintptr_t)job);
        if (status < 0) free(job);
        return status;
    case REFUSE:
        if (http->body(host, request).length > 2) http->set_header(host, request, LITERAL("Retry-After"), LITERAL("1"));
        return http->respond(host, request, 409, text(), LITERAL("not now"));
    case VERSION: return http->respond(host, request, 200, text(), LITERAL(PROBE_VERSION));
    case SLEEP:
        oversleep();
        return http->respond(host, request, 200, text(), LITERAL("slept"));
    case SLOW_WRITE: {
        static uint8_t piece[65536];
        status = http->begin(host, request, 200, text(), -1);
        job = remember(shard, request);
        while (status == SLUICE_OK)
            status = http->write(host, request, (sluice_slice_t){piece, sizeof piece}, slowly_written,
                                 (uint64_t)(uintptr_t)job);
        return status;
    }
    case SLOW_READ:
        status = http->read(host, request, slowly_read, (uint64_t)(uintptr_t)remember(shard, request));
        return status < 0 ? status : SLUICE_PENDING;
    case CLIENT: {
        sluice_slice_t subject = shard->certificate->subject(host, request);
        return http->respond(host, request, 200, text(), subject.bytes ? subject : LITERAL("nobody"));
    }
    case BLOCK: {
        long milliseconds = number(shard, request);
        nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
        return http->respond(host, request, 200, text(), LITERAL("blocked"));
    }
    case HOARD: {
        size_t size = (size_t)number(shard, request) << 20;
        free(hoard);
        hoard = malloc(size);
        if (hoard == NULL) return SLUICE_E_OVERLOADED;
        /* Resident is what has been touched. */
        memset(hoard, 1, size);
        return http->respond(host, request, 200, text(), LITERAL("held"));
    }
    case RELEASE:
        free(hoard);
        hoard = NULL;
        return http->respond(host, request, 200, text(), LITERAL("released"));
    case ELSEWHERE: {
        job_t other = {shard, request, ABSENT, 0};
        pthread_t thread;
        if (pthread_create(&thread, NULL, read_elsewhere, &other) != 0) return SLUICE_E_UNAVAILABLE;
        pthread_join(thread, NULL);
        return http->respond(host, request, 200, text(), other.name.bytes ? other.name : LITERAL("refused"));
    }
    case TOO_LATE:
        if (gone.host == NULL) return SLUICE_E_WRONG_STATE;
        return http->respond(host, request, 200, text(),
                             gone.clock->unix_ms(gone.host) ? LITERAL("answered") : LITERAL("refused"));
    case STREAM:
        status = http->begin(host, request, 200, LITERAL("application/octet-stream"), -1);
        if (status != SLUICE_OK) return status;
        job = remember(shard, request);
        status = http->read(host, request, stream_read, (uint64_t)(uintptr_t)job);
        return status < 0 ? status : SLUICE_PENDING;
    default: return SLUICE_E_UNSUPPORTED;
    }
}

static const sluice_http_handler_v1_t http_handler = {sizeof http_handler, 0, resolve, handle, NULL};

/* A socket that answers every message with the version of the code that runs, "flood" with more than anybody takes, and "bye" with
 * a close frame. */
static sluice_status_t resolve_socket(sluice_slice_t name, uint32_t *handler) {
    *handler = 0;
    return name.length == 6 && memcmp(name.bytes, "socket", 6) == 0 ? SLUICE_OK : SLUICE_E_NOT_FOUND;
}

static sluice_status_t socket_open(uint64_t shard, uint32_t handler, sluice_token_t request, sluice_token_t connection,
                                   uint64_t *context) {
    (void)shard, (void)handler, (void)request, (void)connection;
    *context = 0;
    return SLUICE_OK;
}

static void socket_message(uint64_t value, uint32_t handler, uint64_t context, sluice_token_t connection,
                           uint32_t kind, sluice_slice_t message) {
    const shard_t *shard = (const shard_t *)(uintptr_t)value;
    (void)handler, (void)context, (void)kind;
    if (contains(message, "flood")) {
        static uint8_t piece[65536];
        sluice_slice_t slice = {piece, sizeof piece};
        for (int count = 0; count < 256; count++)
            if (shard->websocket->send(shard->host, connection, SLUICE_MESSAGE_BINARY, slice) < 0) return;
        return;
    }
    if (contains(message, "bye")) {
        shard->websocket->close(shard->host, connection, 4000, LITERAL("bye"));
        return;
    }
    shard->websocket->send(shard->host, connection, SLUICE_MESSAGE_TEXT, LITERAL(PROBE_VERSION));
}

static void socket_closed(uint64_t shard, uint32_t handler, uint64_t context, sluice_token_t connection, uint32_t code,
                          sluice_slice_t reason) {
    (void)shard, (void)handler, (void)context, (void)connection, (void)code, (void)reason;
}

static const sluice_websocket_handler_v1_t socket_handler = {
    sizeof socket_handler, 0, resolve_socket, socket_open, socket_message, socket_closed,
};

static sluice_status_t create(const sluice_host_v1_t *host, uint64_t *instance) {
    const sluice_config_v1_t *config = host->get_extension(host, "sluice.config/1");
    if (config == NULL) return SLUICE_E_DENIED;
    sluice_slice_t settings = config->get(host);
    if (contains(settings, "\"refuse\":true") || contains(settings, "\"refuse\": true")) {
        config->refuse(host, LITERAL("/refuse"), LITERAL("was told to refuse"));
        return SLUICE_E_CONFIG;
    }
    *instance = 1;
    return SLUICE_OK;
}

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    (void)instance;
    if (PROBE_OPENS != SLUICE_OK) return PROBE_OPENS;
    shard_t *self = calloc(1, sizeof *self);
    if (self == NULL) return SLUICE_E_UNAVAILABLE;
    self->host = host;
    self->http = host->get_extension(host, SLUICE_EXT_HTTP);
    self->store = host->get_extension(host, SLUICE_EXT_STORE);
    self->timer = host->get_extension(host, SLUICE_EXT_TIMER);
    self->loop = host->get_extension(host, SLUICE_EXT_LOOP);
    self->config = host->get_extension(host, SLUICE_EXT_CONFIG);
    self->clock = host->get_extension(host, SLUICE_EXT_CLOCK);
    self->websocket = host->get_extension(host, SLUICE_EXT_WEBSOCKET);
    self->certificate = host->get_extension(host, SLUICE_EXT_CLIENT_CERTIFICATE);
    if (!self->certificate || !self->websocket || !self->clock || !self->http || !self->store || !self->timer || !self->loop || !self->config) {
        free(self);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)self;
    return SLUICE_OK;
}

static void close_shard(uint64_t shard) {
    gone = *(shard_t *)(uintptr_t)shard;
    free((void *)(uintptr_t)shard);
}

static const void *get_extension(const char *id) {
    if (strcmp(id, SLUICE_EXT_WEBSOCKET_HANDLER) == 0) return &socket_handler;
    return strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0 ? &http_handler : NULL;
}

SLUICE_EXPORT const sluice_plugin_v1_t *PROBE_ENTRY(void);

const sluice_plugin_v1_t *PROBE_ENTRY(void) {
    static const sluice_plugin_v1_t plugin = {
        sizeof plugin, PROBE_MAJOR, SLUICE_ABI_MINOR,
        {(const uint8_t *)PROBE_ID, sizeof(PROBE_ID) - 1}, {(const uint8_t *)PROBE_VERSION, sizeof(PROBE_VERSION) - 1},
        create, destroy_nothing, open_shard, NULL, close_shard, get_extension,
    };
    return &plugin;
}
