import PluginKit
import PluginTesting
import Testing

@Suite struct `A request of others` {
  @Test func `goes out whole, and its answer comes back up to its limit`() async throws {
    let host = try await Probe.host()
    try await host.setServer { request in
      #expect(request.method == "POST" && request.url == "https://b.example/x")
      #expect(request.fields.map(\.name) == ["X-One", "X-Empty"])
      #expect(request.fields.map(\.value) == ["1", ""])
      #expect(request.body == Array("hello".utf8) && request.timeout == 1_000)
      return Client.Response(
        status: 201, fields: [("X-A", "1: 2"), ("X-B", "")], body: Array("0123456789".utf8),
        elapsedMilliseconds: 7)
    }
    let answer = try await host.request(
      "POST", "/?url=https://b.example/x", handler: "fetch", body: "hello")
    #expect(answer.text == "201 x-a=1: 2,x-b= true 7  01234567")
    try await host.setServer { _ in Client.Response(status: 204) }
    let empty = try await host.request("GET", "/", handler: "fetch")
    #expect(empty.text == "204  false 0 - ")
    try await host.close()
  }

  @Test func `fails as the host says, and reaches nobody until there is somebody`() async throws {
    let host = try await Probe.host()
    #expect(try await host.request("GET", "/", handler: "fetch").status == 503)
    try await host.setServer { _ in throw HostError(.deadline, "too late") }
    #expect(try await host.request("GET", "/", handler: "fetch").status == 504)
    try await host.setServer { _ in throw HostError(.denied, "not there") }
    #expect(try await host.request("GET", "/", handler: "fetch").status == 403)
    #expect(try await host.request("GET", "/?timeout=0", handler: "fetch").text == "invalid")
    #expect(try await host.request("GET", "/?timeout=-1", handler: "fetch").text == "invalid")
    try await host.close()
  }
}
