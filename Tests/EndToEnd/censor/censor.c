/* A plugin that looks at messages before they are written, and does with them what they ask for. */
#include <sluice/sluice.h>

#include <stdlib.h>
#include <string.h>

typedef struct censor {
    const sluice_host_v1_t *host;
    const sluice_services_v1_t *services;
} censor_t;

static int has(sluice_slice_t text, const char *word) {
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= (size_t)text.length; at++) {
        if (memcmp(text.bytes + at, word, length) == 0) return 1;
    }
    return 0;
}

static sluice_slice_t slice(const char *text) {
    return (sluice_slice_t){(const uint8_t *)text, strlen(text)};
}

static sluice_status_t look(uint64_t shard, sluice_slice_t service, sluice_slice_t key, uint32_t method,
                            sluice_slice_t request, sluice_token_t call) {
    const censor_t *censor = (const censor_t *)(uintptr_t)shard;
    const char *answer = "{\"action\":\"pass\"}";
    (void)service, (void)key;
    if (method != SLUICE_MESSAGE_FILTER_LOOK) return SLUICE_E_UNSUPPORTED;
    if (has(request, "be silent")) return SLUICE_PENDING;
    if (has(request, "fail")) return SLUICE_E_UNAVAILABLE;
    if (has(request, "refuse me")) answer = "{\"action\":\"refuse\",\"reason\":\"As you wish.\"}";
    if (has(request, "rewrite me")) answer = "{\"action\":\"rewrite\",\"text\":\"rewritten\"}";
    censor->services->reply(censor->host, call, SLUICE_OK, slice(answer));
    return SLUICE_OK;
}

static const sluice_service_provider_v1_t provider = {sizeof provider, 0, look};

static sluice_status_t create(const sluice_host_v1_t *host, uint64_t *instance) {
    (void)host;
    *instance = 0;
    return SLUICE_OK;
}

static void destroy(uint64_t instance) { (void)instance; }

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

static void close_shard(uint64_t shard) { free((void *)(uintptr_t)shard); }

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_SERVICE_PROVIDER) == 0 ? &provider : NULL;
}

SLUICE_EXPORT const sluice_plugin_v1_t *sluice_plugin_entry_v1(void) {
    static const sluice_plugin_v1_t plugin = {
        sizeof plugin, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
        {(const uint8_t *)"censor", 6}, {(const uint8_t *)"0.1.0", 5},
        create, destroy, open_shard, NULL, close_shard, get_extension,
    };
    return &plugin;
}
