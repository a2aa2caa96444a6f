/* A plugin that runs commands of chat: /picture is sent as another message, /whisper is answered to its user alone. */
#include <sluice/sluice.h>

#include <stdlib.h>
#include <string.h>

typedef struct commander {
    const sluice_host_v1_t *host;
    const sluice_services_v1_t *services;
} commander_t;

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

static sluice_status_t run(uint64_t shard, sluice_slice_t service, sluice_slice_t key, uint32_t method,
                           sluice_slice_t request, sluice_token_t call) {
    const commander_t *commander = (const commander_t *)(uintptr_t)shard;
    const char *answer = "{\"action\":\"reply\",\"text\":\"psst\",\"custom\":{\"kind\":\"hint\"}}";
    (void)service;
    if (method != SLUICE_CHAT_COMMAND_RUN) return SLUICE_E_UNSUPPORTED;
    if (has(key, "picture"))
        answer = has(request, "\"args\":\"cats\"")
                     ? "{\"action\":\"send\",\"text\":\"cats!\",\"attachments\":[{\"type\":\"image\","
                       "\"url\":\"https://pictures.example/cats.png\"}],\"custom\":{\"by\":\"commander\"}}"
                     : "{\"action\":\"send\",\"text\":\"nothing is there\"}";
    if (has(request, "\"args\":\"be silent\"")) return SLUICE_PENDING;
    if (has(request, "\"args\":\"fail\"")) return SLUICE_E_UNAVAILABLE;
    if (has(request, "\"args\":\"babble\"")) answer = "{\"action\":\"babble\"}";
    if (has(request, "\"args\":\"refuse\"")) answer = "{\"action\":\"refuse\",\"reason\":\"Not today.\"}";
    commander->services->reply(commander->host, call, SLUICE_OK, slice(answer));
    return SLUICE_OK;
}

static const sluice_service_provider_v1_t provider = {sizeof provider, 0, run};

static sluice_status_t create(const sluice_host_v1_t *host, uint64_t *instance) {
    (void)host;
    *instance = 0;
    return SLUICE_OK;
}

static void destroy(uint64_t instance) { (void)instance; }

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    commander_t *commander = calloc(1, sizeof *commander);
    (void)instance;
    if (commander == NULL) return SLUICE_E_UNAVAILABLE;
    commander->host = host;
    commander->services = host->get_extension(host, SLUICE_EXT_SERVICES);
    if (!commander->services) {
        free(commander);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)commander;
    return SLUICE_OK;
}

static void close_shard(uint64_t shard) { free((void *)(uintptr_t)shard); }

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_SERVICE_PROVIDER) == 0 ? &provider : NULL;
}

SLUICE_EXPORT const sluice_plugin_v1_t *sluice_plugin_entry_v1(void) {
    static const sluice_plugin_v1_t plugin = {
        sizeof plugin, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
        {(const uint8_t *)"commander", 9}, {(const uint8_t *)"0.1.0", 5},
        create, destroy, open_shard, NULL, close_shard, get_extension,
    };
    return &plugin;
}
