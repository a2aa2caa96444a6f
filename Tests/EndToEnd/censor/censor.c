/* A plugin that looks at messages before they are written, and does with them what they ask for. */
#include "../plugin.h"

typedef struct censor {
    const sluice_host_v1_t *host;
    const sluice_services_v1_t *services;
} censor_t;

static sluice_status_t look(uint64_t shard, sluice_slice_t service, sluice_slice_t key, uint32_t method,
                            sluice_slice_t request, sluice_token_t call) {
    const censor_t *censor = (const censor_t *)(uintptr_t)shard;
    const char *answer = "{\"action\":\"pass\"}";
    (void)service, (void)key;
    if (method != SLUICE_MESSAGE_FILTER_LOOK) return SLUICE_E_UNSUPPORTED;
    if (contains(request, "be silent")) return SLUICE_PENDING;
    if (contains(request, "fail")) return SLUICE_E_UNAVAILABLE;
    if (contains(request, "refuse me")) answer = "{\"action\":\"refuse\",\"reason\":\"As you wish.\"}";
    if (contains(request, "rewrite me")) answer = "{\"action\":\"rewrite\",\"text\":\"rewritten\"}";
    censor->services->reply(censor->host, call, SLUICE_OK, slice(answer));
    return SLUICE_OK;
}

static const sluice_service_provider_v1_t provider = {sizeof provider, 0, look};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    censor_t *censor = calloc(1, sizeof *censor);
    (void)instance;
    if (censor == NULL) return SLUICE_E_UNAVAILABLE;
    censor->host = host;
    censor->services = host->get_extension(host, SLUICE_EXT_SERVICES);
    if (!censor->services) {
        free(censor);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)censor;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_SERVICE_PROVIDER) == 0 ? &provider : NULL;
}

PLUGIN("censor", create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
