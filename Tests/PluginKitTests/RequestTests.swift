import PluginKit
import PluginTesting
import Testing

@Suite struct RequestTests {
  @Test func `a synchronous handler answers with the bytes of its literal`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/hello", handler: "hello")
    #expect(reply.status == 200)
    #expect(reply.contentType == "application/json")
    #expect(reply.text == #"{"message":"hello, world"}"#)
    try await host.close()
  }

  @Test func `a handler reads everything of its request`() async throws {
    let host = try await Probe.host(config: #"{"greeting":"good day"}"#)
    let reply = try await host.request(
      "PUT", "/things/a%20b?q=1+2%263&r", handler: "echo", parameters: ["a b"],
      headers: [("x-TEST", "yes"), ("Authorization", "Bearer secret")], body: "the body",
      as: .key(scopes: ["write", "read"]))
    let echo: ProbeShard.Echo = try reply.json()
    #expect(reply.status == 201)
    #expect(reply.header("x-greeting") == "good day")
    #expect(echo.method == "PUT")
    #expect(echo.path == "/things/a%20b")
    #expect(echo.parameter == "a b")
    #expect(echo.query == "1 2&3")
    #expect(echo.header == "yes")
    #expect(echo.authorization == nil)
    #expect(echo.body == "the body")
    #expect(echo.id.hasPrefix("req_"))
    #expect(echo.peer == "127.0.0.1")
    #expect(echo.principal == "key:key_test")
    #expect(echo.scopes == ["read", "write"])
    try await host.close()
  }

  @Test func `a handler sees whom the client's certificate names`() async throws {
    let host = try await Probe.host()
    let shown = try await host.request(
      "GET", "/", handler: "echo", clientCertificate: "CN=device-7,O=Example")
    #expect(try shown.json(ProbeShard.Echo.self).client == "CN=device-7,O=Example")
    let none: ProbeShard.Echo = try await host.request("GET", "/", handler: "echo").json()
    #expect(none.client == nil)
    try await host.close()
  }

  @Test func `a parameter or a query that is not there is absent`() async throws {
    let host = try await Probe.host()
    let echo: ProbeShard.Echo = try await host.request("GET", "/", handler: "echo").json()
    #expect(echo.parameter == nil)
    #expect(echo.query == nil)
    #expect(echo.header == nil)
    #expect(echo.body == "")
    #expect(echo.principal == "anonymous:")
    try await host.close()
  }

  @Test func `an answer may be text or nothing`() async throws {
    let host = try await Probe.host()
    let text = try await host.request("GET", "/", handler: "text")
    #expect(text.text == "plain")
    #expect(text.contentType == "text/plain; charset=utf-8")
    let empty = try await host.request("GET", "/", handler: "empty")
    #expect(empty.status == 204)
    #expect(empty.body.isEmpty)
    #expect(empty.contentType == nil)
    try await host.close()
  }

  @Test(arguments: [
    ("problem", 400, "invalid_request"), ("problem_async", 418, "teapot"),
    ("failure", 500, "internal"), ("failure_async", 500, "internal"),
    ("host_error", 429, "rate_limited"), ("bad_header", 500, "internal"),
    ("bad_status", 500, "internal"),
  ])
  func `an error becomes the problem that belongs to it`(
    handler: String, status: Int, code: String
  ) async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: handler)
    #expect(reply.status == status)
    #expect(reply.problem?.code == code)
    try await host.close()
  }

  @Test func `a problem carries its faults`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "problem")
    #expect(reply.problem?.errors == [TestProblem.Fault(pointer: "/a", message: "is wrong")])
    try await host.close()
  }

  @Test(arguments: ["failure", "failure_async"])
  func `an error nobody expected is logged and its words kept from the client`(
    handler: String
  ) async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: handler)
    #expect(!reply.text.contains("Failure"))
    let line = try #require(host.log.first { $0.level == .error })
    #expect(line.fields?.text.contains("Failure") == true)
    #expect(line.fields?.text.contains(handler) == true)
    try await host.close()
  }

  @Test(arguments: [
    (#"{"name":"a","size":"big"}"#, "/size", "expected an integer"),
    (#"{"size":1}"#, "", "\"name\" is missing"),
    (#"{"name":"a","tags":["x",3]}"#, "/tags/1", "expected a string, found a number"),
    (#"{"name":"a","size":7}"#, "/size", "Size"),
    (#"{"name":"a","at":"yesterday"}"#, "/at", "RFC 3339"),
    (#"{"name":"#, "/name", "not JSON, line 1, column 9"),
    (#"["name"]"#, "", "expected an object, found an array"),
    ("", "", "not JSON"),
  ])
  func `a body that is not what is expected is a 400 with the pointer of the fault`(
    body: String, pointer: String, message: String
  ) async throws {
    let host = try await Probe.host()
    let reply = try await host.request("POST", "/", handler: "decode", body: body)
    #expect(reply.status == 400)
    let fault = try #require(reply.problem?.errors?.first)
    #expect(fault.pointer == pointer)
    #expect(fault.message.contains(message), "\(fault.message)")
    try await host.close()
  }

  @Test func `a peer that goes away cancels the handler's task`() async throws {
    let host = try await Probe.host()
    let pending = try await host.begin("GET", "/", handler: "wait", parameters: ["a"])
    try await host.settle()
    try await pending.cancel()
    try await host.settle()
    let line = try #require(host.log.first { $0.message == "cancelled" })
    #expect(line.fields?.text == #"{"isCancelled":true}"#)
    #expect(!host.log.contains { $0.level == .error })
    try await host.close()
  }

  @Test func `a request whose peer is gone has nothing to read and ends quietly`() async throws {
    let host = try await Probe.host()
    let pending = try await host.begin("GET", "/?q=1", handler: "gone", parameters: ["a"])
    try await pending.cancel()
    try await host.settle()
    let line = try #require(host.log.first { $0.message == "gone" })
    #expect(line.fields?.text == #"{"method":"","query":null}"#)
    #expect(!host.log.contains { $0.level == .error })
    try await host.close()
  }

  @Test func `a body is read and an answer written in pieces`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("POST", "/", handler: "stream", body: "abc")
    #expect(reply.text == "abc!")
    #expect(reply.contentType == "text/plain")
    try await host.close()
  }

  @Test func `a handler that nobody registered is refused by name`() async throws {
    let host = try await Probe.host()
    await #expect(throws: TestFailure.self) {
      try await host.request("GET", "/", handler: "nothing")
    }
    try await host.close()
  }

  @Test func `a configuration that the plugin refuses says where and why`() async throws {
    let refused = await #expect(throws: ConfigurationError.self) {
      try await Probe.host(config: #"{"limit":0}"#)
    }
    #expect(refused?.pointer == "/limit")
    #expect(refused?.message == "0 is below 1")
    let mistyped = await #expect(throws: ConfigurationError.self) {
      try await Probe.host(config: #"{"limit":"many"}"#)
    }
    #expect(mistyped?.pointer == "/limit")
  }

  @Test func `an extension that is not granted is named when it is used`() async throws {
    let host = try await Probe.host { $0.capabilities = ["sluice.http/1", "sluice.log/1"] }
    let reply = try await host.request("GET", "/", handler: "notes")
    #expect(reply.status == 500)
    #expect(host.log.contains { $0.fields?.text.contains("sluice.store/1 is not granted") == true })
    try await host.close()
  }
}
