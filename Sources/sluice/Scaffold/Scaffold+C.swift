extension Scaffold {
  /// A plugin in C11: one source file and the contract's headers.
  static func c(id: String, root: String) -> [File] {
    [
      File(
        path: "plugin.c",
        text: #"""
          /* One route, answered at once. Each function of the contract is told in sluice/plugin.h and sluice/ext/. */
          #include <sluice/sluice.h>

          #include <stdlib.h>
          #include <string.h>

          #define LITERAL(text) ((sluice_slice_t){(const uint8_t *)(text), sizeof(text) - 1})

          enum { HELLO };

          /* All that a shard needs: the host's table and the one extension that it uses. */
          typedef struct shard {
              const sluice_host_v1_t *host;
              const sluice_http_v1_t *http;
          } shard_t;

          static sluice_status_t resolve(sluice_slice_t name, uint32_t *handler) {
              if (name.length != 5 || memcmp(name.bytes, "hello", 5) != 0) return SLUICE_E_NOT_FOUND;
              *handler = HELLO;
              return SLUICE_OK;
          }

          static sluice_status_t handle(uint64_t shard, uint32_t handler, sluice_token_t request) {
              const shard_t *self = (const shard_t *)(uintptr_t)shard;
              if (handler != HELLO) return SLUICE_E_UNSUPPORTED;
              return self->http->respond(self->host, request, 200, LITERAL("application/json"),
                                         LITERAL("{\"message\":\"hello, world\"}"));
          }

          static const sluice_http_handler_v1_t http_handler = {sizeof http_handler, 0, resolve, handle, NULL};

          static sluice_status_t create(const sluice_host_v1_t *host, uint64_t *instance) {
              (void)host;
              *instance = 1;
              return SLUICE_OK;
          }

          static void destroy(uint64_t instance) { (void)instance; }

          static sluice_status_t open_shard(uint64_t instance, const sluice_host_v1_t *host, uint64_t *shard) {
              (void)instance;
              const sluice_http_v1_t *http = host->get_extension(host, SLUICE_EXT_HTTP);
              if (http == NULL) return SLUICE_E_DENIED;
              shard_t *self = malloc(sizeof *self);
              if (self == NULL) return SLUICE_E_UNAVAILABLE;
              *self = (shard_t){host, http};
              *shard = (uint64_t)(uintptr_t)self;
              return SLUICE_OK;
          }

          static void close_shard(uint64_t shard) { free((void *)(uintptr_t)shard); }

          static const void *get_extension(const char *id) {
              return strcmp(id, SLUICE_EXT_HTTP_HANDLER) == 0 ? &http_handler : NULL;
          }

          const sluice_plugin_v1_t *sluice_plugin_entry_v1(void) {
              static const sluice_plugin_v1_t plugin = {
                  sizeof plugin, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                  {(const uint8_t *)"\#(id)", \#(id.utf8.count)}, {(const uint8_t *)"0.1.0", 5},
                  create, destroy, open_shard, NULL, close_shard, get_extension,
              };
              return &plugin;
          }

          """#),
      File(
        path: "Makefile",
        text: #"""
          # Builds lib\#(id).so into OUT, which becomes a plugin folder: library and manifest.
          OUT ?= build/\#(id)
          CC ?= cc
          SLUICE ?= \#(root)
          CFLAGS ?= -O2
          STRICT := -std=c11 -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden

          .PHONY: all clean
          all: $(OUT)/lib\#(id).so $(OUT)/plugin.json

          $(OUT)/lib\#(id).so: plugin.c plugin.version | $(OUT)
          	$(CC) -shared -fPIC $(STRICT) $(CFLAGS) -I$(SLUICE)/include \
          	  -Wl,--version-script=plugin.version -o $@ plugin.c

          $(OUT)/plugin.json: plugin.json | $(OUT)
          	cp $< $@

          $(OUT):
          	mkdir -p $@

          clean:
          	rm -rf build

          """#),
      versionScript,
      File(
        path: "README.md",
        text: #"""
          # \#(id)

          `GET /hello/\#(id)` says hello.

              make                                        # build/\#(id): the library and the manifest
              sluice plugin validate build/\#(id)
              sluice serve --plugins build

          The life of a plugin is told in `include/sluice/plugin.h` of Sluice's source tree, what it may ask of the host in
          `include/sluice/ext/*.h`. `SLUICE=` names the tree.

          """#),
    ]
  }
}
