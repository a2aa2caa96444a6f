/// A plugin that uses everything that a manifest can say.
enum NotesSample {
  static let event = """
    {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    """

  static let manifest = """
    {
      "id": "notes", "version": "1.2.0", "abi": 1, "summary": "Notes in books",
      "library": "libnotes.so", "runtime": "swift-bundled", "isolation": "in-process",
      "tenants": "apps",
      "routes": [
        {
          "method": "POST", "path": "/v1/books/{book}/notes", "aliases": ["/books/{book}/notes"],
          "operation": "createNote", "summary": "Write a note", "handler": "create_note",
          "auth": ["user", "key"], "scopes": ["notes.write"],
          "body": {
            "limit": 4096, "mode": "buffer", "required": true,
            "content_types": ["application/json"],
            "schema": {
              "type": "object", "required": ["text"], "additionalProperties": false,
              "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 2000}}
            }
          },
          "responses": {
            "409": {"description": "The book is closed"},
            "201": {
              "description": "Written",
              "schema": {"type": "object", "properties": {"id": {"type": "string"}}}
            }
          }
        },
        {
          "method": "GET", "path": "/v1/books/{name}/notes", "operation": "listNotes",
          "handler": "list_notes", "auth": ["optional", "user"],
          "query": {
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
            "tags": {"type": "array", "items": {"type": "string"}},
            "q": {"type": "string"}
          },
          "query_required": ["q"],
          "responses": {"200": {"description": "The notes"}}
        },
        {
          "method": "PUT", "path": "/v1/cover", "operation": "putCover", "handler": "put_cover",
          "auth": ["none"],
          "body": {"mode": "stream", "limit": 1048576, "content_types": ["image/png"]}
        }
      ],
      "sockets": [
        {
          "path": "/v1/books/{book}/live", "operation": "watchBook", "summary": "Watch a book",
          "handler": "watch", "auth": ["user"], "token_in_query": true,
          "subprotocols": ["sluice.v1"], "message_limit": 65536,
          "query": {"since": {"type": "string"}}
        }
      ],
      "messages": [
        {"type": "note.draft", "handler": "draft", "schema": {"type": "object"},
         "scopes": ["notes.write"]}
      ],
      "channels": [{"namespace": "notes", "history": {"size": 1000, "ttl_seconds": 86400}}],
      "phases": [{"phase": "authorize", "handler": "may_read", "before": ["other"], "after": [],
                  "routes": ["/v1/books", "putCover"]}],
      "provides": [{"service": "sluice.channel-authority/1", "key": "notes"}],
      "requires": [{"service": "sample.index/1", "optional": true, "many": true}],
      "emits": [
        {"type": "note.created", "schema": "events/note.created.schema.json",
         "socket_name": "note_created"}
      ],
      "listens": ["book.*"],
      "capabilities": ["sluice.http/1", "sluice.websocket/1", "sluice.messages/1", "sluice.store/1",
                       "sluice.events/1", "sluice.services/1", "sluice.phases/1"],
      "migrations": "migrations",
      "limits": {"timers": 100, "worker_threads": 3},
      "config": {
        "type": "object", "additionalProperties": false,
        "properties": {
          "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
          "page": {
            "type": "object", "additionalProperties": false,
            "properties": {"size": {"type": "integer", "minimum": 1, "default": 10}}
          }
        }
      }
    }
    """

  /// Writes the plugin into a folder of plugins.
  static func write(to folder: ScratchFolder) {
    folder.write(event, to: "notes/events/note.created.schema.json")
    folder.write(
      "CREATE TABLE notes_note(id TEXT PRIMARY KEY)", to: "notes/migrations/0001_notes.sql")
    folder.write(manifest, to: "notes/plugin.json")
  }
}
