/* A plugin that says what of an event goes to webhooks, by what stands in its text. */
#include "../plugin.h"

typedef struct rewriter {
    const sluice_host_v1_t *host;
    const sluice_services_v1_t *services;
} rewriter_t;

static sluice_status_t transform(uint64_t shard, sluice_slice_t service, sluice_slice_t key, uint32_t method,
                                 sluice_slice_t request, sluice_token_t call) {
    const rewriter_t *rewriter = (const rewriter_t *)(uintptr_t)shard;
    const char *answer = "{\"action\":\"pass\"}";
    (void)service, (void)key;
    if (method != SLUICE_WEBHOOK_TRANSFORM_TRANSFORM) return SLUICE_E_UNSUPPORTED;
    if (contains(request, "fail for ever")) return SLUICE_E_UNAVAILABLE;
    if (contains(request, "drop me")) answer = "{\"action\":\"drop\"}";
    if (contains(request, "rewrite me")) answer = "{\"action\":\"rewrite\",\"data\":{\"text\":\"rewritten\"}}";
    if (contains(request, "say nothing")) answer = "{\"action\":\"rewrite\"}";
    rewriter->services->reply(rewriter->host, call, SLUICE_OK, slice(answer));
    return SLUICE_OK;
}

static const sluice_service_provider_v1_t provider = {sizeof provider, 0, transform};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    rewriter_t *rewriter = calloc(1, sizeof *rewriter);
    (void)instance;
    if (rewriter == NULL) return SLUICE_E_UNAVAILABLE;
    rewriter->host = host;
    rewriter->services = host->get_extension(host, SLUICE_EXT_SERVICES);
    if (!rewriter->services) {
        free(rewriter);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)rewriter;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_SERVICE_PROVIDER) == 0 ? &provider : NULL;
}

PLUGIN("rewriter", create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
