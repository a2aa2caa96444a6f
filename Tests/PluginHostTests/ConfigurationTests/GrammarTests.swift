import Testing

@testable import PluginHost

@Suite struct `Names and paths` {
  @Test(arguments: [
    ("plugin", "chat", true), ("plugin", "hello-c", true), ("plugin", "a", true),
    ("plugin", String(repeating: "a", count: 32), true),
    ("plugin", String(repeating: "a", count: 33), false), ("plugin", "", false),
    ("plugin", "Chat", false), ("plugin", "1chat", false), ("plugin", "a_b", false),
    ("plugin", "../x", false), ("plugin", "é", false),
    ("operation", "sendMessage", true), ("operation", "send_2", true), ("operation", "2x", false),
    ("operation", "a-b", false),
    ("handler", "send_message", true), ("handler", "a b", false), ("handler", "", false),
    ("dotted", "chat.write", true), ("dotted", "chat", true), ("dotted", "chat.", false),
    ("dotted", ".chat", false), ("dotted", "chat..x", false), ("dotted", "chat.*", false),
    ("event", "chat.message.created", true), ("event", "chat", false),
    ("version", "1.2.3", true), ("version", "0.0.0", true), ("version", "1.2", false),
    ("version", "1.2.3-beta.1", true), ("version", "1.2.3-", false), ("version", "01.2.3", false),
    ("version", "v1.2.3", false), ("version", "1.2.3+5", false), ("version", "", false),
    ("media", "application/json", true), ("media", "image/*", true), ("media", "json", false),
    ("media", "Application/JSON", false), ("media", "a/b;c=d", false), ("media", "a/", false),
    ("token", "sluice.v1", true), ("token", "a b", false), ("token", "", false),
    ("host", "demo.localhost", true), ("host", "Demo.localhost", false), ("host", "a..b", false),
    ("host", "-a.b", false), ("host", "a:80", false), ("host", "", false), ("host", "::1", false),
    ("sha256", String(repeating: "0f", count: 32), true), ("sha256", "0f", false),
    ("sha256", String(repeating: "0F", count: 32), false),
    ("environment", "NAME_1", true), ("environment", "1NAME", false), ("environment", "", false),
    ("parameter", "limit", true), ("parameter", "a b", false),
    ("tenant", "app_01h", true), ("tenant", "platform", true), ("tenant", "A", false),
  ])
  func `accepts what it describes and nothing else`(kind: String, text: String, isGood: Bool) {
    let grammars: [String: Grammar] = [
      "plugin": .pluginID, "operation": .operation, "handler": .handler, "dotted": .dottedName,
      "event": .eventType, "version": .version, "media": .mediaType, "token": .token,
      "host": .host, "sha256": .sha256, "environment": .environmentName, "parameter": .parameter,
      "tenant": .tenantID,
    ]
    #expect(grammars[kind]?.accepts(text) == isGood)
  }

  @Test(arguments: [
    ("libx.so", true), ("build/libx.so", true), ("../libx.so", false), ("/libx.so", false),
    ("a/../b", false), ("./x", false), ("a//b", false), ("", false), ("a/", false), ("..", false),
  ])
  func `a path stays inside its folder`(path: String, stays: Bool) {
    #expect(FilePath.staysInside(path) == stays)
  }

  @Test(arguments: [
    ("/abs", "dir", "/abs"), ("x", ".", "x"), ("./x", "dir", "dir/x"), ("x", "dir/", "dir/x"),
    ("x", "/", "/x"), ("x", "", "x"), ("../x", "dir", "dir/../x"),
  ])
  func `a path is relative to its file`(path: String, folder: String, expected: String) {
    #expect(FilePath.resolve(path, in: folder) == expected)
  }

  @Test func `a path has a folder and a name`() {
    #expect(FilePath.folder(of: "a/b/c.json") == "a/b")
    #expect(FilePath.folder(of: "c.json") == ".")
    #expect(FilePath.folder(of: "/c.json") == "/")
    #expect(FilePath.name(of: "a/b/") == "b")
    #expect(FilePath.name(of: "/") == "/")
  }
}
