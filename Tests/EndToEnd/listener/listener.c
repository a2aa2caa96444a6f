/* A plugin that writes down the events it hears; its setting `mode` says how it goes about it. */
#include "../plugin.h"

#ifndef EAR_ID
#define EAR_ID "ear"
#endif

typedef enum {
    SETTLE, /* the effect and the cursor in one batch */
    PLAIN,  /* the effect in a batch of its own, then OK: at least once */
    FAIL,   /* counts its tries and refuses */
    REGRET, /* the effect and the cursor in one batch, then a refusal all the same */
    SILENT, /* never ends the delivery */
} ear_mode;

typedef struct ear {
    const sluice_host_v1_t *host;
    const sluice_store_v1_t *store;
    const sluice_events_v1_t *events;
    ear_mode mode;
} ear_t;

typedef struct hearing {
    const ear_t *ear;
    sluice_token_t delivery;
} hearing_t;

static void written(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    hearing_t *hearing = (hearing_t *)(uintptr_t)context;
    const ear_t *ear = hearing->ear;
    (void)result;
    if (status == SLUICE_OK && (ear->mode == FAIL || ear->mode == REGRET)) status = SLUICE_E_UNAVAILABLE;
    if (status != SLUICE_E_CANCELLED) ear->events->done(ear->host, hearing->delivery, status);
    free(hearing);
}

static sluice_status_t event(uint64_t shard, const sluice_event_v1_t *event, sluice_token_t delivery) {
    const ear_t *ear = (const ear_t *)(uintptr_t)shard;
    if (ear->mode == SILENT) return SLUICE_PENDING;
    sluice_bind_v1_t binds[3] = {
        {LITERAL("sequence"), SLUICE_VALUE_INTEGER, 0, (int64_t)event->sequence, 0, {NULL, 0}},
        {LITERAL("type"), SLUICE_VALUE_TEXT, 0, 0, 0, event->type},
        {LITERAL("data"), SLUICE_VALUE_TEXT, 0, 0, 0, event->data},
    };
    sluice_statement_v1_t heard = {
        LITERAL("INSERT INTO " EAR_ID "_heard (sequence, type, data) VALUES (:sequence, :type, :data)"), binds, 3,
        SLUICE_GUARD_NONE, 0,
    };
    sluice_statement_v1_t tried = {
        LITERAL("INSERT INTO " EAR_ID "_tries (sequence) VALUES (:sequence)"), binds, 1, SLUICE_GUARD_NONE, 0,
    };
    sluice_batch_v1_t batch = {ear->mode == FAIL ? &tried : &heard, NULL, 1, 0, 0, 0};
    if (ear->mode == SETTLE || ear->mode == REGRET) batch.delivery = delivery;
    hearing_t *hearing = malloc(sizeof *hearing);
    if (hearing == NULL) abort();
    *hearing = (hearing_t){ear, delivery};
    sluice_status_t status = ear->store->commit(ear->host, &batch, written, (uint64_t)(uintptr_t)hearing);
    if (status < 0) free(hearing);
    return status;
}

static const sluice_event_listener_v1_t listener = {sizeof listener, 0, event};

static sluice_status_t create(const sluice_host_v1_t *host, uint64_t *instance) {
    static const char *const modes[] = {"\"settle\"", "\"plain\"", "\"fail\"", "\"regret\"", "\"silent\""};
    const sluice_config_v1_t *config = host->get_extension(host, SLUICE_EXT_CONFIG);
    if (config == NULL) return SLUICE_E_DENIED;
    sluice_slice_t settings = config->get(host);
    for (uint64_t mode = 0; mode < 5; mode++)
        if (contains(settings, modes[mode])) *instance = mode;
    return SLUICE_OK;
}

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
    ear_t *ear = calloc(1, sizeof *ear);
    if (ear == NULL) return SLUICE_E_UNAVAILABLE;
    ear->host = host;
    ear->mode = (ear_mode)instance;
    ear->store = host->get_extension(host, SLUICE_EXT_STORE);
    ear->events = host->get_extension(host, SLUICE_EXT_EVENTS);
    if (!ear->store || !ear->events) {
        free(ear);
        return SLUICE_E_DENIED;
    }
    *shard = (uint64_t)(uintptr_t)ear;
    return SLUICE_OK;
}

static const void *get_extension(const char *id) {
    return strcmp(id, SLUICE_EXT_EVENT_LISTENER) == 0 ? &listener : NULL;
}

PLUGIN(EAR_ID, create, destroy_nothing, open_shard, free_shard, get_extension);
