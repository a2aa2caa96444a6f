import ConformancePlugin
import HelloSwiftPlugin
import PluginKit
import PluginTesting
import TallyPlugin
import Testing

@Suite struct ExampleTests {
  private static func manifest(_ plugin: String) -> String {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return folder.joined(separator: "/") + "/examples/plugins/\(plugin)/plugin.json"
  }

  @Test(arguments: ["/hello/swift", "/hello/swift-async"])
  func `hello-swift says hello`(path: String) async throws {
    let host = try await TestHost(HelloSwift.self, manifest: Self.manifest("hello-swift"))
    let reply = try await host.request("GET", path)
    #expect(reply.status == 200)
    #expect(reply.contentType == "application/json")
    #expect(reply.text == #"{"message":"hello, world"}"#)
    try await host.close()
  }

  @Test func `tally counts the events of another plugin, each once`() async throws {
    let host = try await TestHost(Tally.self, manifest: Self.manifest("tally"))
    for channel in ["messaging:a", "messaging:b", "messaging:a"] {
      let data = RawJSON(unchecked: Array(#"{"channel":"\#(channel)","text":"hi"}"#.utf8))
      #expect(try await host.deliver("chat.message.created", data: data) == .ok)
    }
    #expect(
      try await host.request("GET", "/tally").text
        == #"{"data":[{"channel":"messaging:a","messages":2},{"channel":"messaging:b","messages":1}]}"#
    )
    #expect(try await host.deliver("chat.message.created", data: "{}") == .internal)
    try await host.close()
  }

  @Test func `conformance answers its routes`() async throws {
    let host = try await TestHost(Conformance.self, manifest: Self.manifest("conformance"))
    #expect(try await host.request("GET", "/").text == "ok\n")
    #expect(try await host.request("POST", "/", body: "12345").text == #"{"received":5}"#)
    for _ in 1...2 {
      #expect(try await host.request("POST", "/durable", body: "row").status == 201)
    }
    try await host.close()
  }

  @Test func `conformance echoes text and bytes`() async throws {
    let host = try await TestHost(Conformance.self, manifest: Self.manifest("conformance"))
    let socket = try await host.connect("echo")
    try await socket.send("text")
    try await socket.send([0, 255], isText: false)
    let messages = try await socket.messages(2)
    #expect(messages.map(\.isText) == [true, false])
    #expect(messages.map(\.bytes) == [Array("text".utf8), [0, 255]])
    try await host.close()
  }

  @Test func `conformance fans a message out through the bus to everybody`() async throws {
    let host = try await TestHost(Conformance.self, manifest: Self.manifest("conformance"))
    let a = try await host.connect("fan")
    let b = try await host.connect("fan")
    try await a.send("one")
    try await b.send([7], isText: false)
    for socket in [a, b] {
      let messages = try await socket.messages(2)
      #expect(messages.map(\.isText) == [true, false])
      #expect(messages.map(\.bytes) == [Array("one".utf8), [7]])
    }
    #expect(try await host.published.map(\.channel) == ["conformance:fan", "conformance:fan"])
    try await host.close()
  }
}
