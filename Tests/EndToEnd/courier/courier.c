/* A plugin that makes the request that it is asked for, and tells what came of it: "status flags length\n", fields, a line, content;
 * or "error status\n" and words. */
#define _POSIX_C_SOURCE 200809L
#include "../plugin.h"

#include <stdio.h>

typedef struct shard {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_client_v1_t *client;
} shard_t;

typedef struct job {
    const shard_t *shard;
    sluice_token_t request;
} job_t;

static void tell(const shard_t *shard, sluice_token_t request, const char *head, const uint8_t *bytes, uint64_t length) {
    size_t start = strlen(head);
    uint8_t *text = malloc(start + length + 1);
    if (text == NULL) abort();
    memcpy(text, head, start);
    if (length > 0) memcpy(text + start, bytes, length);
    sluice_slice_t body = {text, start + length};
    shard->http->respond(shard->host, request, 200, LITERAL("application/octet-stream"), body);
    free(text);
}

static void ended(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    char head[64];
    if (status == SLUICE_OK && result.length >= sizeof(sluice_client_response_t)) {
        sluice_client_response_t response;
        memcpy(&response, result.bytes, sizeof response);
        snprintf(head, sizeof head, "%u %u %llu\n", response.status, response.flags,
                 (unsigned long long)response.body_length);
        tell(job->shard, job->request, head, result.bytes + sizeof response, result.length - sizeof response);
    } else if (status != SLUICE_E_CANCELLED) {
        snprintf(head, sizeof head, "error %d\n", status);
        tell(job->shard, job->request, head, result.bytes, result.bytes == NULL ? 0 : result.length);
    }
    free(job);
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    *handler = 0;
    return name.length == 4 ? SLUICE_OK : SLUICE_E_UNSUPPORTED;
}

static uint64_t number(sluice_slice_t text, uint64_t standard) {
    if (text.bytes == NULL) return standard;
    uint64_t value = 0;
    for (uint64_t i = 0; i < text.length; i++) value = value * 10 + (uint64_t)(text.bytes[i] - '0');
    return value;
}

static sluice_status_t handle(uint64_t value, uint32_t handler, sluice_token_t request) {
    (void)handler;
    const shard_t *shard = (const shard_t *)(uintptr_t)value;
    const sluice_host_v1_t *host = shard->host;
    sluice_client_field_t field = {
        shard->http->query(host, request, LITERAL("name")), shard->http->query(host, request, LITERAL("value"))};
    sluice_slice_t method = shard->http->query(host, request, LITERAL("method"));
    uint32_t timeout = (uint32_t)number(shard->http->query(host, request, LITERAL("timeout")), 10000);
    sluice_client_request_t wanted = {
        sizeof wanted,
        field.name.bytes != NULL ? 1 : 0,
        &field,
        method.bytes != NULL ? method : LITERAL("GET"),
        shard->http->query(host, request, LITERAL("url")),
        shard->http->body(host, request),
        number(shard->http->query(host, request, LITERAL("limit")), 1 << 20),
        timeout,
        timeout,
    };
    job_t *job = calloc(1, sizeof *job);
    if (job == NULL) return SLUICE_E_UNAVAILABLE;
    job->shard = shard;
    job->request = request;
    sluice_status_t status = shard->client->send(host, &wanted, ended, (uint64_t)(uintptr_t)job);
    if (status >= 0) return SLUICE_PENDING;
    free(job);
    char head[32];
    snprintf(head, sizeof head, "at once %d\n", status);
    tell(shard, request, head, NULL, 0);
    return SLUICE_OK;
}

static const sluice_http_handler_v1_t http_handler = {sizeof http_handler, 0, resolve, handle, NULL};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    (void)instance;
    shard_t *self = calloc(1, sizeof *self);
    if (self == NULL) return SLUICE_E_UNAVAILABLE;
    self->host = host;
    self->http = host->get_extension(host, SLUICE_EXT_HTTP);
    self->client = host->get_extension(host, SLUICE_EXT_CLIENT);
    if (self->http == NULL || self->client == NULL) {
        free(self);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)self;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0 ? &http_handler : NULL;
}

PLUGIN("courier", create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
