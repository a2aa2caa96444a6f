/* A plugin that runs whatever SQL it is sent and answers with the status and the store's own words. */
#include "../plugin.h"

#include <stdio.h>

typedef struct reacher {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_store_v1_t *store;
} reacher_t;

typedef struct reach {
    const reacher_t *reacher;
    sluice_token_t request;
} reach_t;

static void done(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    reach_t *reach = (reach_t *)(uintptr_t)context;
    const reacher_t *reacher = reach->reacher;
    char text[1200];
    /* What comes with success is a row block, no words. */
    uint64_t length = status < 0 ? result.length : 0;
    int count = snprintf(text, sizeof text, "%d %.*s", (int)status, (int)(length > 1000 ? 1000 : length),
                         (const char *)result.bytes);
    sluice_slice_t type = {(const uint8_t *)"text/plain", 10};
    if (status != SLUICE_E_CANCELLED) {
        reacher->http->respond(reacher->host, reach->request, 200, type,
                               (sluice_slice_t){(const uint8_t *)text, (uint64_t)count});
    }
    free(reach);
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    (void)name;
    *handler = 0;
    return SLUICE_OK;
}

static sluice_status_t handle(uint64_t shard, uint32_t handler, sluice_token_t request) {
    const reacher_t *reacher = (const reacher_t *)(uintptr_t)shard;
    (void)handler;
    sluice_statement_v1_t statement = {reacher->http->body(reacher->host, request), NULL, 0, SLUICE_GUARD_NONE, 0};
    sluice_batch_v1_t batch = {&statement, NULL, 1, 0, 0, 0};
    reach_t *reach = malloc(sizeof *reach);
    if (reach == NULL) return SLUICE_E_UNAVAILABLE;
    *reach = (reach_t){reacher, request};
    sluice_status_t status = reacher->store->commit(reacher->host, &batch, done, (uint64_t)(uintptr_t)reach);
    if (status < 0) free(reach);
    return status;
}

static const sluice_http_handler_v1_t handlers = {sizeof handlers, 0, resolve, handle, NULL};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    reacher_t *reacher = calloc(1, sizeof *reacher);
    (void)instance;
    if (reacher == NULL) return SLUICE_E_UNAVAILABLE;
    reacher->host = host;
    reacher->http = host->get_extension(host, SLUICE_EXT_HTTP);
    reacher->store = host->get_extension(host, SLUICE_EXT_STORE);
    if (!reacher->http || !reacher->store) {
        free(reacher);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)reacher;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0 ? &handlers : NULL;
}

PLUGIN("reacher", create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
