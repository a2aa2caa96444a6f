/* What the tests' plugins in C have in common. */
#ifndef TESTS_PLUGIN_H
#define TESTS_PLUGIN_H

#include <sluice/sluice.h>

#include <stdlib.h>
#include <string.h>

#define LITERAL(text) ((sluice_slice_t){(const uint8_t *)(text), sizeof(text) - 1})
#define ABSENT ((sluice_slice_t){NULL, 0})

static inline sluice_slice_t slice(const char *text) {
    return (sluice_slice_t){(const uint8_t *)text, strlen(text)};
}

static inline int is(sluice_slice_t text, const char *word) {
    return text.length == strlen(word) && memcmp(text.bytes, word, text.length) == 0;
}

static inline int contains(sluice_slice_t text, const char *word) {
    size_t length = strlen(word);
    for (uint64_t start = 0; start + length <= text.length; start++)
        if (memcmp(text.bytes + start, word, length) == 0) return 1;
    return 0;
}

/* Of an instance without anything of its own. */
static inline sluice_status_t create_nothing(const sluice_host_v1_t *host, uint64_t *instance) {
    (void)host;
    *instance = 0;
    return SLUICE_OK;
}

static inline void destroy_nothing(uint64_t instance) { (void)instance; }

/* Of a shard that is one piece of memory. */
static inline void free_shard(uint64_t shard) { free((void *)(uintptr_t)shard); }

/* The entry of version 0.1.0 of a plugin whose id is a literal. */
#define PLUGIN(id, create, destroy, open, close, get_extension)                                                          \
    SLUICE_EXPORT const sluice_plugin_v1_t *sluice_plugin_entry_v1(void) {                                              \
        static const sluice_plugin_v1_t plugin = {                                                                      \
            sizeof plugin, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, {(const uint8_t *)(id), sizeof(id) - 1},                 \
            {(const uint8_t *)"0.1.0", 5}, create, destroy, open, NULL, close, get_extension,                           \
        };                                                                                                              \
        return &plugin;                                                                                                 \
    }                                                                                                                   \
    /* What is written behind it wants a semicolon. */                                                                  \
    SLUICE_STATIC_ASSERT(sizeof(id) > 1, "an id")

#endif
