/* A plugin that runs commands of chat: /picture is sent as another message, /whisper is answered to its user alone. */
#include "../plugin.h"

typedef struct commander {
    const sluice_host_v1_t *host;
    const sluice_services_v1_t *services;
} commander_t;

static sluice_status_t run(uint64_t shard, sluice_slice_t service, sluice_slice_t key, uint32_t method,
                           sluice_slice_t request, sluice_token_t call) {
    const commander_t *commander = (const commander_t *)(uintptr_t)shard;
    const char *answer = "{\"action\":\"reply\",\"text\":\"psst\",\"custom\":{\"kind\":\"hint\"}}";
    (void)service;
    if (method != SLUICE_CHAT_COMMAND_RUN) return SLUICE_E_UNSUPPORTED;
    if (contains(key, "picture"))
        answer = contains(request, "\"args\":\"cats\"")
                     ? "{\"action\":\"send\",\"text\":\"cats!\",\"attachments\":[{\"type\":\"image\","
                       "\"url\":\"https://pictures.example/cats.png\"}],\"custom\":{\"by\":\"commander\"}}"
                     : "{\"action\":\"send\",\"text\":\"nothing is there\"}";
    if (contains(request, "\"args\":\"be silent\"")) return SLUICE_PENDING;
    if (contains(request, "\"args\":\"fail\"")) return SLUICE_E_UNAVAILABLE;
    if (contains(request, "\"args\":\"babble\"")) answer = "{\"action\":\"babble\"}";
    if (contains(request, "\"args\":\"refuse\"")) answer = "{\"action\":\"refuse\",\"reason\":\"Not today.\"}";
    commander->services->reply(commander->host, call, SLUICE_OK, slice(answer));
    return SLUICE_OK;
}

static const sluice_service_provider_v1_t provider = {sizeof provider, 0, run};

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

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_SERVICE_PROVIDER) == 0 ? &provider : NULL;
}

PLUGIN("commander", create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
