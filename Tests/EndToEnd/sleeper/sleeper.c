/* A plugin that sets the alarm that it is asked to, and writes down when it is woken; its setting `mode` says what it does then. */
#include "../plugin.h"

#include <stdio.h>

/* Whether there is anything that can be woken. */
#ifndef SLEEPER_WAKES
#define SLEEPER_WAKES 1
#endif

typedef enum {
    ONCE,      /* says that nothing is to be woken for */
    AGAIN,     /* says that it is to be woken at once */
    FAIL,      /* says that it failed */
    SILENT,    /* says nothing */
    MEANWHILE, /* sets the alarm for an hour later, and then says that nothing is to be woken for */
} sleeper_mode;

typedef struct sleeper {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_store_v1_t *store;
    const sluice_clock_v1_t *clock;
    const sluice_alarm_v1_t *alarm;
    sleeper_mode mode;
} sleeper_t;

typedef struct job {
    const sleeper_t *sleeper;
    sluice_token_t token;
} job_t;

static uint64_t job(const sleeper_t *sleeper, sluice_token_t token) {
    job_t *made = malloc(sizeof *made);
    if (made == NULL) abort();
    *made = (job_t){sleeper, token};
    return (uint64_t)(uintptr_t)made;
}

static void was_set(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    (void)result;
    if (status != SLUICE_E_CANCELLED) {
        char text[32];
        int length = snprintf(text, sizeof text, "%d", status);
        sluice_slice_t body = {(const uint8_t *)text, (uint64_t)length};
        job->sleeper->http->respond(job->sleeper->host, job->token, 200, LITERAL("text/plain"), body);
    }
    free(job);
}

static sluice_status_t handle(uint64_t shard, uint32_t handler, sluice_token_t request) {
    const sleeper_t *sleeper = (const sleeper_t *)(uintptr_t)shard;
    (void)handler;
    sluice_slice_t text = sleeper->http->query(sleeper->host, request, LITERAL("at"));
    char number[24] = {0};
    if (text.bytes == NULL || text.length >= sizeof number) return SLUICE_E_INVALID;
    memcpy(number, text.bytes, text.length);
    uint64_t context = job(sleeper, request);
    sluice_status_t status = sleeper->alarm->set(sleeper->host, strtoll(number, NULL, 10), was_set, context);
    if (status >= 0) return SLUICE_PENDING;
    was_set(context, status, (sluice_slice_t){NULL, 0});
    return SLUICE_OK;
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    *handler = 0;
    return name.length == 3 ? SLUICE_OK : SLUICE_E_UNSUPPORTED;
}

static const sluice_http_handler_v1_t http_handler = {sizeof http_handler, 0, resolve, handle, NULL};

static void ends(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    const sleeper_t *sleeper = job->sleeper;
    (void)result;
    if (status == SLUICE_OK && sleeper->mode == FAIL) status = SLUICE_E_UNAVAILABLE;
    if (status != SLUICE_E_CANCELLED)
        sleeper->alarm->done(sleeper->host, job->token, status, sleeper->mode == AGAIN ? 0 : SLUICE_ALARM_NONE);
    free(job);
}

static void written(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    const sleeper_t *sleeper = job->sleeper;
    if (sleeper->mode == SILENT) {
        free(job);
    } else if (status == SLUICE_OK && sleeper->mode == MEANWHILE) {
        int64_t later = sleeper->clock->unix_ms(sleeper->host) + 3600000;
        status = sleeper->alarm->set(sleeper->host, later, ends, context);
        if (status < 0) ends(context, status, result);
    } else {
        ends(context, status, result);
    }
}

static sluice_status_t wake(uint64_t shard, sluice_token_t token) {
    const sleeper_t *sleeper = (const sleeper_t *)(uintptr_t)shard;
    sluice_bind_v1_t bind = {
        LITERAL("at"), SLUICE_VALUE_INTEGER, 0, sleeper->clock->unix_ms(sleeper->host), 0, {NULL, 0}};
    sluice_statement_v1_t statement = {
        LITERAL("INSERT INTO sleeper_woken (at) VALUES (:at)"), &bind, 1, SLUICE_GUARD_NONE, 0};
    sluice_batch_v1_t batch = {&statement, NULL, 1, 0, 0, 0};
    uint64_t context = job(sleeper, token);
    sluice_status_t status = sleeper->store->commit(sleeper->host, &batch, written, context);
    if (status < 0) free((void *)(uintptr_t)context);
    return status < 0 ? status : SLUICE_PENDING;
}

static const sluice_alarm_handler_v1_t alarm_handler = {sizeof alarm_handler, 0, wake};

static sluice_status_t create(const sluice_host_v1_t *host, uint64_t *instance) {
    static const char *const modes[] = {"\"once\"", "\"again\"", "\"fail\"", "\"silent\"", "\"meanwhile\""};
    const sluice_config_v1_t *config = host->get_extension(host, SLUICE_EXT_CONFIG);
    if (config == NULL) return SLUICE_E_DENIED;
    sluice_slice_t settings = config->get(host);
    for (uint64_t mode = 0; mode < 5; mode++)
        if (contains(settings, modes[mode])) *instance = mode;
    return SLUICE_OK;
}

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    sleeper_t *sleeper = calloc(1, sizeof *sleeper);
    if (sleeper == NULL) return SLUICE_E_UNAVAILABLE;
    sleeper->host = host;
    sleeper->mode = (sleeper_mode)instance;
    sleeper->http = host->get_extension(host, SLUICE_EXT_HTTP);
    sleeper->store = host->get_extension(host, SLUICE_EXT_STORE);
    sleeper->clock = host->get_extension(host, SLUICE_EXT_CLOCK);
    sleeper->alarm = host->get_extension(host, SLUICE_EXT_ALARM);
    if (!sleeper->http || !sleeper->store || !sleeper->clock || !sleeper->alarm) {
        free(sleeper);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)sleeper;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    if (strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0) return &http_handler;
    return SLEEPER_WAKES && strcmp(id, SLUICE_EXT_ALARM_HANDLER) == 0 ? &alarm_handler : NULL;
}

PLUGIN("sleeper", create, destroy_nothing, open_shard, free_shard, get_extension);
