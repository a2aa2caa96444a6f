/* A plugin whose sockets and requests show their credential in what they say first, as `token TOKEN`, or none, as
 * `nobody`; requests also the app alone, as `app ID`. */
#include "../plugin.h"

#include <stdio.h>

typedef struct shard {
    const sluice_host_v1_t *host;
    const sluice_http_v1_t *http;
    const sluice_websocket_v1_t *websocket;
    const sluice_identify_v1_t *identify;
    const sluice_messages_v1_t *messages;
    const sluice_loop_v1_t *loop;
} shard_t;

/* A question about a credential, and who asked it. */
typedef struct question {
    const shard_t *shard;
    sluice_token_t connection;
} question_t;

static int starts(sluice_slice_t text, const char *with) {
    size_t length = strlen(with);
    return text.length >= length && memcmp(text.bytes, with, length) == 0;
}

static sluice_slice_t behind(sluice_slice_t text, const char *with) {
    size_t length = strlen(with);
    return (sluice_slice_t){text.bytes + length, text.length - length};
}

static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
    *handler = 7;
    return starts(name, "door") ? SLUICE_OK : SLUICE_E_NOT_FOUND;
}

static void say(const shard_t *shard, sluice_token_t connection, const char *text, int length) {
    sluice_slice_t slice = {(const uint8_t *)text, (uint64_t)length};
    shard->websocket->send(shard->host, connection, SLUICE_MESSAGE_TEXT, slice);
}

static sluice_status_t open_socket(uint64_t context, uint32_t handler, sluice_token_t request, sluice_token_t connection,
                                   uint64_t *word) {
    const shard_t *shard = (const shard_t *)(uintptr_t)context;
    sluice_principal_v1_t who;
    char text[300];
    if (handler != 7) return SLUICE_E_INTERNAL;
    sluice_slice_t wish = shard->http->query(shard->host, request, LITERAL("wish"));
    if (starts(wish, "deny")) return SLUICE_E_DENIED;
    if (starts(wish, "answer"))
        return shard->http->problem(shard->host, request, 429, LITERAL("rate_limited"), LITERAL("no"),
                                    (sluice_slice_t){NULL, 0});
    if (starts(wish, "begin") &&
        shard->http->begin(shard->host, request, 200, LITERAL("text/plain"), -1) != SLUICE_E_WRONG_STATE)
        return SLUICE_E_INTERNAL;
    shard->websocket->principal(shard->host, connection, &who);
    sluice_slice_t agent = shard->http->header(shard->host, request, LITERAL("user-agent"));
    int length = snprintf(text, sizeof text, "opened for '%.*s', who uses %.*s", (int)who.id.length,
                          (const char *)who.id.bytes, (int)agent.length, (const char *)agent.bytes);
    say(shard, connection, text, length);
    *word = 1;
    return SLUICE_OK;
}

static void identified(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    question_t *question = (question_t *)(uintptr_t)context;
    char text[2000];
    int length = snprintf(text, sizeof text, "identified %d %.*s", status, (int)result.length, (const char *)result.bytes);
    say(question->shard, question->connection, text, length);
    free(question);
}

static void dispatched(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    question_t *question = (question_t *)(uintptr_t)context;
    char text[2000];
    int length = snprintf(text, sizeof text, "said %d %.*s", status, (int)result.length, (const char *)result.bytes);
    say(question->shard, question->connection, text, length);
    free(question);
}

/* `say TYPE JSON`: to whichever plugin it is for. */
static void dispatch(const shard_t *shard, sluice_token_t connection, sluice_slice_t wish) {
    const uint8_t *space = memchr(wish.bytes, ' ', wish.length);
    uint64_t length = space == NULL ? wish.length : (uint64_t)(space - wish.bytes);
    sluice_slice_t data = {NULL, 0};
    if (space != NULL) data = (sluice_slice_t){space + 1, wish.length - length - 1};
    question_t *question = malloc(sizeof *question);
    *question = (question_t){shard, connection};
    sluice_status_t status = shard->messages->dispatch(shard->host, connection, (sluice_slice_t){wish.bytes, length}, data,
                                                       dispatched, (uint64_t)(uintptr_t)question);
    if (status < 0) dispatched((uint64_t)(uintptr_t)question, status, LITERAL("at once"));
}

static void message(uint64_t context, uint32_t handler, uint64_t word, sluice_token_t connection, uint32_t kind,
                    sluice_slice_t bytes) {
    const shard_t *shard = (const shard_t *)(uintptr_t)context;
    if (handler != 7 || word != 1) abort();
    if (starts(bytes, "say ")) {
        dispatch(shard, connection, behind(bytes, "say "));
        return;
    }
    int renews = starts(bytes, "new ");
    uint32_t purpose = renews || starts(bytes, "who ") ? SLUICE_CREDENTIAL_BEARER
                       : starts(bytes, "sub ") ? SLUICE_CREDENTIAL_SUBSCRIPTION : 0;
    if (purpose == 0) {
        shard->websocket->send(shard->host, connection, kind, bytes);
        return;
    }
    question_t *question = malloc(sizeof *question);
    *question = (question_t){shard, connection};
    shard->identify->identify(shard->host, purpose, behind(bytes, "who "),
                              renews ? connection : 0, identified, (uint64_t)(uintptr_t)question);
}

static void closed(uint64_t context, uint32_t handler, uint64_t word, sluice_token_t connection, uint32_t code,
                   sluice_slice_t reason) {
    (void)context, (void)connection, (void)code, (void)reason;
    if (handler != 7 || word != 1) abort();
}

static sluice_status_t credential_of(uint32_t handler, uint32_t kind, sluice_slice_t bytes, sluice_sink_fn put,
                                     uint64_t sink) {
    if (handler != 7 || kind != SLUICE_MESSAGE_TEXT) return SLUICE_E_INVALID;
    if (starts(bytes, "nobody")) return SLUICE_OK;
    if (!starts(bytes, "token ")) return SLUICE_E_INVALID;
    put(sink, behind(bytes, "token "));
    return SLUICE_OK;
}

static uint32_t refusal(uint32_t handler, uint32_t kind, sluice_slice_t bytes, sluice_status_t why, sluice_sink_fn put,
                        uint64_t sink, sluice_slice_t *reason) {
    char text[80];
    int length = snprintf(text, sizeof text, "refused for %d, of %d bytes", why, (int)bytes.length);
    (void)handler, (void)kind;
    put(sink, (sluice_slice_t){(const uint8_t *)text, (uint64_t)length});
    *reason = LITERAL("not today");
    return 3900;
}

enum { SHOUT = 3, LATER, BROKEN };

static sluice_status_t resolve_message(sluice_slice_t name, uint32_t *handler) {
    *handler = starts(name, "shout") ? SHOUT : starts(name, "later") ? LATER : BROKEN;
    return SLUICE_OK;
}

/* A message that is answered from the loop's next turn. */
typedef struct answer {
    const shard_t *shard;
    sluice_token_t message;
} answer_t;

static void answer_later(uint64_t context, sluice_status_t status, sluice_slice_t result) {
    answer_t *answer = (answer_t *)(uintptr_t)context;
    (void)status, (void)result;
    answer->shard->messages->reply(answer->shard->host, answer->message, SLUICE_OK, LITERAL("\"later\""));
    if (answer->shard->messages->reply(answer->shard->host, answer->message, SLUICE_OK, LITERAL("1")) != SLUICE_E_STALE)
        abort();
    free(answer);
}

static sluice_status_t take(uint64_t context, uint32_t handler, const sluice_principal_v1_t *who, sluice_slice_t type,
                            sluice_slice_t data, sluice_token_t message) {
    const shard_t *shard = (const shard_t *)(uintptr_t)context;
    char text[500];
    if (handler == BROKEN) return data.length > 2 ? SLUICE_OK : SLUICE_E_CONFLICT;
    if (handler == LATER) {
        answer_t *answer = malloc(sizeof *answer);
        *answer = (answer_t){shard, message};
        shard->loop->post(shard->host, answer_later, (uint64_t)(uintptr_t)answer);
        return SLUICE_PENDING;
    }
    int length = snprintf(text, sizeof text, "[\"%.*s\",\"%.*s\",%.*s]", (int)who->id.length, (const char *)who->id.bytes,
                          (int)type.length, (const char *)type.bytes, (int)data.length, (const char *)data.bytes);
    return shard->messages->reply(shard->host, message, SLUICE_OK,
                                  (sluice_slice_t){(const uint8_t *)text, (uint64_t)length});
}

/* ---- requests: 20 looks in the body, 21 in `hello` of the query, as it is sent */

static sluice_status_t resolve_route(sluice_slice_t name, uint32_t *handler) {
    *handler = starts(name, "hello") ? 21 : 20;
    return SLUICE_OK;
}

static sluice_status_t handle(uint64_t context, uint32_t handler, sluice_token_t request) {
    const shard_t *shard = (const shard_t *)(uintptr_t)context;
    sluice_principal_v1_t who;
    char text[70000];
    if (handler != 20 && handler != 21) return SLUICE_E_INTERNAL;
    shard->http->principal(shard->host, request, &who);
    sluice_slice_t body = shard->http->body(shard->host, request);
    int length = snprintf(text, sizeof text, "%.*s serves '%.*s': %.*s", (int)shard->host->tenant.length,
                          (const char *)shard->host->tenant.bytes, (int)who.id.length, (const char *)who.id.bytes,
                          (int)body.length, (const char *)body.bytes);
    return shard->http->respond(shard->host, request, 200, LITERAL("text/plain"),
                                (sluice_slice_t){(const uint8_t *)text, (uint64_t)length});
}

static sluice_slice_t said(uint32_t handler, sluice_slice_t query, sluice_slice_t body) {
    if (handler != 21) return body;
    return starts(query, "hello=") ? behind(query, "hello=") : (sluice_slice_t){(const uint8_t *)"", 0};
}

static sluice_status_t found_in(uint32_t handler, sluice_slice_t query, sluice_slice_t body, uint32_t *found,
                                sluice_sink_fn put, uint64_t sink) {
    sluice_slice_t words = said(handler, query, body);
    if (*found != SLUICE_FOUND_NOTHING) return SLUICE_E_INTERNAL;
    if (starts(words, "nobody")) return SLUICE_OK;
    *found = starts(words, "app") ? SLUICE_FOUND_APP : SLUICE_FOUND_CREDENTIAL;
    if (starts(words, "token ")) put(sink, behind(words, "token "));
    else if (starts(words, "token:")) put(sink, behind(words, "token:"));
    else if (starts(words, "app ")) put(sink, behind(words, "app "));
    else return SLUICE_E_INVALID;
    return SLUICE_OK;
}

static uint32_t refused(uint32_t handler, sluice_slice_t query, sluice_slice_t body, sluice_status_t why,
                        sluice_sink_fn put, uint64_t sink, sluice_slice_t *content_type) {
    char text[100];
    if (why != SLUICE_E_EXPIRED) return 0;
    int length = snprintf(text, sizeof text, "too late, of %d bytes", (int)said(handler, query, body).length);
    put(sink, (sluice_slice_t){(const uint8_t *)text, (uint64_t)length});
    *content_type = LITERAL("text/x-refusal");
    return 200;
}

static const sluice_http_handler_v1_t requests = {sizeof requests, 0, resolve_route, handle, NULL};
static const sluice_request_credential_v1_t findings = {sizeof findings, 0, found_in, refused};
static const sluice_message_handler_v1_t message_handler = {sizeof message_handler, 0, resolve_message, take};
static const sluice_websocket_handler_v1_t sockets = {sizeof sockets, 0, resolve, open_socket, message, closed};
static const sluice_websocket_credential_v1_t credentials = {sizeof credentials, 0, credential_of, refusal};

static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *word) {
    shard_t *shard = calloc(1, sizeof *shard);
    (void)instance;
    shard->host = host;
    shard->http = host->get_extension(host, SLUICE_EXT_HTTP);
    shard->websocket = host->get_extension(host, SLUICE_EXT_WEBSOCKET);
    shard->identify = host->get_extension(host, SLUICE_EXT_IDENTIFY);
    shard->messages = host->get_extension(host, SLUICE_EXT_MESSAGES);
    shard->loop = host->get_extension(host, SLUICE_EXT_LOOP);
    *word = (uint64_t)(uintptr_t)shard;
    return shard->http && shard->websocket && shard->identify && shard->messages && shard->loop ? SLUICE_OK : SLUICE_E_DENIED;
}

static const void *extension(const char *id) {
    if (strcmp(id, SLUICE_EXT_WEBSOCKET_HANDLER) == 0) return &sockets;
    if (strcmp(id, SLUICE_EXT_WEBSOCKET_CREDENTIAL) == 0) return &credentials;
    if (strcmp(id, SLUICE_EXT_MESSAGE_HANDLER) == 0) return &message_handler;
    if (strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0) return &requests;
    if (strcmp(id, SLUICE_EXT_REQUEST_CREDENTIAL) == 0) return &findings;
    return NULL;
}

PLUGIN("doorman", create_nothing, destroy_nothing, open_shard, free_shard, extension);
