#define _POSIX_C_SOURCE 200809L

/* A plugin with a part in every phase. What it does with a request stands in the request's query, under the plugin's own
 * id: ?first=deny. Built twice, under two ids, so that one comes before the other. */
#include "../plugin.h"

#include <stdio.h>
#include <time.h>

#ifndef PHASES_ID
#define PHASES_ID "first"
#endif

enum { GATE, METER, STAMP, COUNT_IT, ECHO, LATER, PIECES, LATE_PIECES, LEFT_READ, SOCKET };

typedef struct shard {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_phases_v1_t *phases;
    const sluice_timer_v1_t *timer;
    const sluice_worker_v1_t *worker;
    const sluice_metrics_v1_t *metrics;
    const sluice_websocket_v1_t *websocket;
    uint64_t observed, status_sum, bytes, nanoseconds, cancelled, nested, written, unread; /* metrics */
    int depth; /* of calls from the host, which never nest */
} shard_t;

typedef struct job {
    shard_t *shard;
    sluice_token_t request;
} job_t;

static job_t *remember(shard_t *shard, sluice_token_t request) {
    job_t *job = malloc(sizeof *job);
    if (job == NULL) abort();
    *job = (job_t){shard, request};
    return job;
}

static void enter(shard_t *shard) {
    if (shard->depth++ > 0) shard->metrics->add(shard->host, shard->nested, 1);
}

static void leave(shard_t *shard) { shard->depth--; }

static void proceed_later(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    shard_t *shard = job->shard;
    (void)status, (void)result;
    enter(shard);
    sluice_status_t first = shard->phases->proceed(shard->host, job->request);
    /* The token is not this plugin's any more. */
    if (first == SLUICE_OK && shard->phases->proceed(shard->host, job->request) != SLUICE_E_STALE) abort();
    free(job);
    leave(shard);
}

static void deny_later(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    shard_t *shard = job->shard;
    (void)status, (void)result;
    enter(shard);
    shard->http->problem(shard->host, job->request, 403, LITERAL("later_no"), LITERAL("Thought about it."), ABSENT);
    free(job);
    leave(shard);
}

static sluice_status_t proceed_from_worker(uint64_t context) {
    job_t *job = (job_t *)(uintptr_t)context;
    return job->shard->phases->proceed(job->shard->host, job->request);
}

static void worked(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    (void)status, (void)result;
    free((void *)(uintptr_t)context);
}

static void add(shard_t *shard, sluice_token_t request, const char *name, const char *value) {
    sluice_slice_t field = {(const uint8_t *)name, strlen(name)}, text = {(const uint8_t *)value, strlen(value)};
    if (shard->http->set_header(shard->host, request, field, text) != SLUICE_OK) abort();
}

static sluice_status_t gate(shard_t *shard, sluice_token_t request) {
    const sluice_host_v1_t *host = shard->host;
    sluice_slice_t wish = shard->http->query(host, request, LITERAL(PHASES_ID));
    sluice_slice_t operation = shard->phases->operation(host, request), owner = shard->phases->owner(host, request);
    char seen[256];
    snprintf(seen, sizeof seen, PHASES_ID " %.*s %.*s", (int)owner.length, (const char *)owner.bytes, (int)operation.length,
             (const char *)operation.bytes);
    add(shard, request, "x-authorized", seen);
    job_t *job;
    if (is(wish, "deny")) return SLUICE_E_DENIED;
    if (is(wish, "unknown")) return -4711;
    if (is(wish, "answer"))
        return shard->http->respond(host, request, 202, LITERAL("text/plain"), LITERAL("answered by " PHASES_ID));
    if (is(wish, "begin"))
        return shard->http->begin(host, request, 200, ABSENT, -1) == SLUICE_E_WRONG_STATE ? SLUICE_OK : SLUICE_E_INTERNAL;
    if (is(wish, "never")) return SLUICE_PENDING;
    if (is(wish, "at_once")) {
        /* Decided before it has returned. */
        if (shard->phases->proceed(host, request) != SLUICE_OK) return SLUICE_E_INTERNAL;
        return SLUICE_PENDING;
    }
    if (is(wish, "timer") || is(wish, "timer_deny") || is(wish, "slow") || is(wish, "slower")) {
        job = remember(shard, request);
        sluice_completion_fn function = is(wish, "timer_deny") ? deny_later : proceed_later;
        uint64_t delay = is(wish, "slower") ? 1000 : is(wish, "slow") ? 700 : 20;
        shard->timer->start(host, delay, 0, function, (uint64_t)(uintptr_t)job);
        return SLUICE_PENDING;
    }
    if (is(wish, "worker")) {
        job = remember(shard, request);
        sluice_status_t status =
            shard->worker->submit(host, proceed_from_worker, worked, (uint64_t)(uintptr_t)job);
        return status < 0 ? status : SLUICE_PENDING;
    }
    return SLUICE_OK;
}

static sluice_status_t meter(shard_t *shard, sluice_token_t request) {
    sluice_slice_t wish = shard->http->query(shard->host, request, LITERAL(PHASES_ID));
    sluice_principal_v1_t principal;
    if (shard->http->principal(shard->host, request, &principal) != SLUICE_OK) abort();
    if (shard->http->body(shard->host, request).length != 0) abort(); /* it has not come */
    add(shard, request, "x-metered", principal.kind == SLUICE_PRINCIPAL_ANONYMOUS ? PHASES_ID " anonymous" : PHASES_ID);
    if (is(wish, "meter")) return SLUICE_E_LIMITED;
    if (is(wish, "meter_timer")) {
        job_t *job = remember(shard, request);
        shard->timer->start(shard->host, 20, 0, proceed_later, (uint64_t)(uintptr_t)job);
        return SLUICE_PENDING;
    }
    return SLUICE_OK;
}

static sluice_status_t stamp(shard_t *shard, sluice_token_t request) {
    char text[64];
    snprintf(text, sizeof text, PHASES_ID " %u", (unsigned)shard->phases->status(shard->host, request));
    add(shard, request, "x-stamped", text);
    if (shard->http->respond(shard->host, request, 200, ABSENT, ABSENT) != SLUICE_E_WRONG_STATE) abort();
    if (shard->phases->proceed(shard->host, request) != SLUICE_E_WRONG_STATE) abort();
    return SLUICE_PENDING; /* which is not looked at */
}

static sluice_status_t count_it(shard_t *shard, sluice_token_t request) {
    const sluice_host_v1_t *host = shard->host;
    if (shard->http->set_header(host, request, LITERAL("x-late"), LITERAL("no")) != SLUICE_E_WRONG_STATE) abort();
    if (shard->http->method(host, request).length == 0) abort();
    shard->metrics->add(host, shard->observed, 1);
    shard->metrics->add(host, shard->status_sum, shard->phases->status(host, request));
    shard->metrics->add(host, shard->bytes, (int64_t)shard->phases->bytes_sent(host, request));
    shard->metrics->add(host, shard->nanoseconds, (int64_t)shard->phases->duration_ns(host, request));
    return SLUICE_OK;
}

static sluice_status_t resolve_phase(sluice_slice_t name, uint32_t phase, uint32_t *handler) {
    if (phase == SLUICE_PHASE_AUTHORIZE && is(name, "gate")) *handler = GATE;
    else if (phase == SLUICE_PHASE_LIMIT && is(name, "meter")) *handler = METER;
    else if (phase == SLUICE_PHASE_RESPOND && is(name, "stamp")) *handler = STAMP;
    else if (phase == SLUICE_PHASE_OBSERVE && is(name, "count")) *handler = COUNT_IT;
    else return SLUICE_E_NOT_FOUND;
    return SLUICE_OK;
}

static sluice_status_t run(uint64_t value, uint32_t handler, sluice_token_t request) {
    shard_t *shard = (shard_t *)(uintptr_t)value;
    sluice_status_t status = SLUICE_E_UNSUPPORTED;
    enter(shard);
    switch (handler) {
    case GATE: status = gate(shard, request); break;
    case METER: status = meter(shard, request); break;
    case STAMP: status = stamp(shard, request); break;
    case COUNT_IT: status = count_it(shard, request); break;
    default: break;
    }
    leave(shard);
    return status;
}

static void cancelled(uint64_t value, uint32_t handler, sluice_token_t request) {
    shard_t *shard = (shard_t *)(uintptr_t)value;
    (void)handler;
    enter(shard);
    if (shard->phases->proceed(shard->host, request) != SLUICE_E_STALE) abort();
    shard->metrics->add(shard->host, shard->cancelled, 1);
    leave(shard);
}

static const sluice_phase_handler_v1_t phase_handler = {sizeof phase_handler, 0, resolve_phase, run, cancelled};

/* ---- a few routes of its own */

static void answer_later(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    shard_t *shard = job->shard;
    (void)status, (void)result;
    enter(shard);
    shard->http->respond(shard->host, job->request, 200, LITERAL("text/plain"), LITERAL("later"));
    free(job);
    leave(shard);
}

static void ignore(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    (void)context, (void)status, (void)result;
}

/* An answer in pieces that is begun when its time is over, in the tick in which the host looks. */

static void late_written(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    shard_t *shard = job->shard;
    (void)result;
    enter(shard);
    shard->metrics->add(shard->host, shard->written, 1);
    if (status == SLUICE_OK) shard->http->end(shard->host, job->request);
    free(job);
    leave(shard);
}

static void begin_late(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    static uint8_t piece[400000];
    job_t *job = (job_t *)(uintptr_t)context;
    shard_t *shard = job->shard;
    (void)status, (void)result;
    enter(shard);
    memset(piece, 'x', sizeof piece);
    status = shard->http->begin(shard->host, job->request, 200, LITERAL("text/plain"), -1);
    if (status >= 0)
        status = shard->http->write(shard->host, job->request, (sluice_slice_t){piece, sizeof piece}, late_written, context);
    leave(shard);
    if (status != SLUICE_PENDING) late_written(context, status, ABSENT);
}

static void hold_up(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    shard_t *shard = job->shard;
    (void)status, (void)result;
    enter(shard);
    nanosleep(&(struct timespec){2, 500 * 1000 * 1000}, NULL);
    shard->timer->start(shard->host, 1, 0, begin_late, context);
    leave(shard);
}

/* An answer that is given while a piece of the body is waited for. */

static void left_read(uint64_t context, sluice_status_t status, sluice_slice_t piece) {
    shard_t *shard = (shard_t *)(uintptr_t)context;
    (void)piece;
    enter(shard);
    if (status == SLUICE_E_CANCELLED) shard->metrics->add(shard->host, shard->unread, 1);
    leave(shard);
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    if (is(name, "echo")) *handler = ECHO;
    else if (is(name, "late_pieces")) *handler = LATE_PIECES;
    else if (is(name, "left_read")) *handler = LEFT_READ;
    else if (is(name, "later")) *handler = LATER;
    else if (is(name, "pieces")) *handler = PIECES;
    else return SLUICE_E_NOT_FOUND;
    return SLUICE_OK;
}

static sluice_status_t handle(uint64_t value, uint32_t handler, sluice_token_t request) {
    shard_t *shard = (shard_t *)(uintptr_t)value;
    const sluice_host_v1_t *host = shard->host;
    const sluice_http_v1_t *http = shard->http;
    sluice_status_t status = SLUICE_E_UNSUPPORTED;
    enter(shard);
    switch (handler) {
    case ECHO:
        status = http->respond(host, request, 200, LITERAL("application/octet-stream"), http->body(host, request));
        break;
    case LATER:
        shard->timer->start(host, 20, 0, answer_later, (uint64_t)(uintptr_t)remember(shard, request));
        status = SLUICE_PENDING;
        break;
    case LATE_PIECES:
        shard->timer->start(host, 20, 0, hold_up, (uint64_t)(uintptr_t)remember(shard, request));
        status = SLUICE_PENDING;
        break;
    case LEFT_READ:
        status = http->read(host, request, left_read, (uint64_t)(uintptr_t)shard);
        if (status < 0) break;
        shard->timer->start(host, 20, 0, answer_later, (uint64_t)(uintptr_t)remember(shard, request));
        status = SLUICE_PENDING;
        break;
    case PIECES:
        status = http->begin(host, request, 200, LITERAL("text/plain"), -1);
        if (status >= 0) status = http->write(host, request, LITERAL("one "), ignore, 0);
        if (status >= 0) status = http->write(host, request, LITERAL("two"), ignore, 0);
        if (status >= 0) status = http->end(host, request);
        break;
    default: break;
    }
    leave(shard);
    return status;
}

static const sluice_http_handler_v1_t http_handler = {sizeof http_handler, 0, resolve, handle, NULL};

static sluice_status_t resolve_socket(sluice_slice_t name, uint32_t *handler) {
    *handler = SOCKET;
    return is(name, "socket") ? SLUICE_OK : SLUICE_E_NOT_FOUND;
}

static sluice_status_t socket_open(uint64_t shard, uint32_t handler, sluice_token_t request, sluice_token_t connection,
                                   uint64_t *context) {
    static uint8_t piece[65536];
    shard_t *self = (shard_t *)(uintptr_t)shard;
    (void)handler, (void)context;
    if (self->http->query(self->host, request, LITERAL("flood")).bytes != NULL)
        while (self->websocket->send(self->host, connection, SLUICE_MESSAGE_BINARY, (sluice_slice_t){piece, sizeof piece}) ==
               SLUICE_OK)
            ;
    return SLUICE_OK;
}

static void socket_message(uint64_t value, uint32_t handler, uint64_t context, sluice_token_t connection, uint32_t kind,
                           sluice_slice_t message) {
    shard_t *shard = (shard_t *)(uintptr_t)value;
    (void)handler, (void)context;
    shard->websocket->send(shard->host, connection, kind, message);
}

static void socket_closed(uint64_t shard, uint32_t handler, uint64_t context, sluice_token_t connection, uint32_t code,
                          sluice_slice_t reason) {
    (void)shard, (void)handler, (void)context, (void)connection, (void)code, (void)reason;
}

static const sluice_websocket_handler_v1_t socket_handler = {sizeof socket_handler, 0, resolve_socket, socket_open,
                                                             socket_message, socket_closed};

/* ---- life */

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *value) {
    (void)instance;
    shard_t *shard = calloc(1, sizeof *shard);
    if (shard == NULL) return SLUICE_E_UNAVAILABLE;
    shard->host = host;
    shard->http = host->get_extension(host, SLUICE_EXT_HTTP);
    shard->phases = host->get_extension(host, SLUICE_EXT_PHASES);
    shard->timer = host->get_extension(host, SLUICE_EXT_TIMER);
    shard->worker = host->get_extension(host, SLUICE_EXT_WORKER);
    shard->metrics = host->get_extension(host, SLUICE_EXT_METRICS);
    shard->websocket = host->get_extension(host, SLUICE_EXT_WEBSOCKET);
    if (!shard->http || !shard->phases || !shard->timer || !shard->worker || !shard->metrics || !shard->websocket) {
        free(shard);
        return SLUICE_E_DENIED;
    }
    const sluice_metrics_v1_t *metrics = shard->metrics;
    shard->observed = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("observed"), LITERAL("Requests."));
    shard->status_sum = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("status_sum"), LITERAL("Their statuses."));
    shard->bytes = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("bytes"), LITERAL("Their answers' bytes."));
    shard->nanoseconds = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("ns"), LITERAL("Their time."));
    shard->cancelled = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("cancelled"), LITERAL("Those given up."));
    shard->nested = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("nested"), LITERAL("Calls inside calls."));
    shard->written = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("written"), LITERAL("Late pieces."));
    shard->unread = metrics->declare(host, SLUICE_METRIC_COUNTER, LITERAL("unread"), LITERAL("Reads that ended."));
    *value = (uint64_t)(uintptr_t)shard;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    if (strcmp(id, SLUICE_EXT_PHASE_HANDLER) == 0) return &phase_handler;
    if (strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0) return &http_handler;
    return strcmp(id, SLUICE_EXT_WEBSOCKET_HANDLER) == 0 ? &socket_handler : NULL;
}

PLUGIN(PHASES_ID, create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
