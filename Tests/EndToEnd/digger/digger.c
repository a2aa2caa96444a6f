/* A plugin whose job lasts until there is a file `enough` in the folder that it was asked for. It leaves `began` and `ended` there,
 * and its shard `told` when it hears that the job has ended, and `closed`. */
#define _POSIX_C_SOURCE 200809L
#include "../plugin.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

typedef struct shard {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_worker_v1_t *worker;
    /* The folder of the last job; empty before. */
    char place[512];
} shard_t;

typedef struct job {
    char place[512];
} job_t;

static void mark(const char *place, const char *name) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", place, name);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    if (file < 0) abort();
    close(file);
}

static sluice_status_t dig(uint64_t context) {
    const job_t *job = (const job_t *)(uintptr_t)context;
    char enough[600];
    snprintf(enough, sizeof enough, "%s/enough", job->place);
    mark(job->place, "began");
    struct timespec pause = {0, 5000000};
    while (access(enough, F_OK) != 0) nanosleep(&pause, NULL);
    mark(job->place, "ended");
    return SLUICE_OK;
}

static void dug(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    job_t *job = (job_t *)(uintptr_t)context;
    (void)result;
    if (status == SLUICE_OK) mark(job->place, "told");
    free(job);
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    *handler = 0;
    return name.length == 3 ? SLUICE_OK : SLUICE_E_UNSUPPORTED;
}

static sluice_status_t handle(uint64_t value, uint32_t handler, sluice_token_t request) {
    shard_t *shard = (shard_t *)(uintptr_t)value;
    (void)handler;
    sluice_slice_t place = shard->http->query(shard->host, request, LITERAL("place"));
    if (place.bytes == NULL || place.length >= sizeof shard->place) return SLUICE_E_INVALID;
    job_t *job = calloc(1, sizeof *job);
    if (job == NULL) abort();
    memcpy(job->place, place.bytes, place.length);
    memcpy(shard->place, job->place, sizeof shard->place);
    sluice_status_t status = shard->worker->submit(shard->host, dig, dug, (uint64_t)(uintptr_t)job);
    if (status < 0) {
        free(job);
        return status;
    }
    /* It does not wait for it: nothing but the job keeps the shard. */
    shard->http->respond(shard->host, request, 200, LITERAL("text/plain"), LITERAL("digging"));
    return SLUICE_OK;
}

static const sluice_http_handler_v1_t http_handler = {sizeof http_handler, 0, resolve, handle, NULL};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *value) {
    (void)instance;
    shard_t *shard = calloc(1, sizeof *shard);
    if (shard == NULL) return SLUICE_E_UNAVAILABLE;
    shard->host = host;
    shard->http = host->get_extension(host, SLUICE_EXT_HTTP);
    shard->worker = host->get_extension(host, SLUICE_EXT_WORKER);
    if (!shard->http || !shard->worker) {
        free(shard);
        return SLUICE_E_DENIED;
    }
    *value = (uint64_t)(uintptr_t)shard;
    return SLUICE_OK;
}

static void close_shard(uint64_t value) {
    shard_t *shard = (shard_t *)(uintptr_t)value;
    if (shard->place[0] != '\0') mark(shard->place, "closed");
    free(shard);
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0 ? &http_handler : NULL;
}

PLUGIN("digger", create_nothing, destroy_nothing, open_shard, close_shard, get_extension);
