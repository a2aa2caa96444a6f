/* A plugin whose sockets get messages of their own and of their group, one behind the other. */
#include "../plugin.h"

typedef struct mixer {
    const sluice_host_v1_t *host;
    const sluice_websocket_v1_t *sockets;
    const sluice_groups_v1_t *groups;
    sluice_token_t group;
} mixer_t;

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    (void)name;
    *handler = 0;
    return SLUICE_OK;
}

/* Greets before the handshake is answered. */
static sluice_status_t open_socket(uint64_t shard, uint32_t handler, sluice_token_t request, sluice_token_t connection,
                                   uint64_t *context) {
    static uint8_t greeting[300];
    const mixer_t *mixer = (const mixer_t *)(uintptr_t)shard;
    (void)handler, (void)request;
    *context = 0;
    memset(greeting, 'w', sizeof greeting);
    mixer->sockets->send(mixer->host, connection, SLUICE_MESSAGE_TEXT, (sluice_slice_t){greeting, sizeof greeting});
    return mixer->groups->add(mixer->host, mixer->group, connection);
}

/* To the sender, to the group, to the sender again. */
static void message(uint64_t shard, uint32_t handler, uint64_t context, sluice_token_t connection, uint32_t kind,
                    sluice_slice_t message) {
    const mixer_t *mixer = (const mixer_t *)(uintptr_t)shard;
    (void)handler, (void)context;
    mixer->sockets->send(mixer->host, connection, kind, message);
    mixer->groups->send(mixer->host, mixer->group, kind, message);
    mixer->sockets->send(mixer->host, connection, kind, message);
}

static void closed(uint64_t shard, uint32_t handler, uint64_t context, sluice_token_t connection, uint32_t code,
                   sluice_slice_t reason) {
    (void)shard, (void)handler, (void)context, (void)connection, (void)code, (void)reason;
}

static const sluice_websocket_handler_v1_t handlers = {sizeof handlers, 0, resolve, open_socket, message, closed};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    mixer_t *mixer = calloc(1, sizeof *mixer);
    (void)instance;
    if (mixer == NULL) return SLUICE_E_UNAVAILABLE;
    mixer->host = host;
    mixer->sockets = host->get_extension(host, SLUICE_EXT_WEBSOCKET);
    mixer->groups = host->get_extension(host, SLUICE_EXT_GROUPS);
    if (!mixer->sockets || !mixer->groups) {
        free(mixer);
        return SLUICE_E_DENIED;
    }
    mixer->group = mixer->groups->create(host);
    *shard = (uint64_t)(uintptr_t)mixer;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_WEBSOCKET_HANDLER) == 0 ? &handlers : NULL;
}

PLUGIN("mixer", create_nothing, destroy_nothing, open_shard, free_shard, get_extension);
