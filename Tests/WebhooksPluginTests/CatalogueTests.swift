import PluginKit
import PluginTesting
import Testing

@testable import WebhooksPlugin

@Suite struct `The catalogue of events` {
  private static let types: RawJSON = """
    [{"type":"shop.bare","plugin":"shop","ephemeral":false,"schema":true},
     {"type":"shop.seen","plugin":"shop","ephemeral":true,"schema":{"examples":[{}]}},
     {"type":"shop.sold","plugin":"shop","ephemeral":false,"socket_name":"sold",
      "schema":{"description":"Something was sold","type":"object","examples":[{"n":7},{"n":8}]}}]
    """

  private struct List: Decodable {
    struct Shown: Decodable {
      var type: String
      var plugin: String
      var description: String?
      var schema: RawJSON
      var examples: [RawJSON]
    }

    var data: [Shown]
    var next: String?
  }

  private func stocked() async throws -> WebhooksHost {
    let hooks = try await WebhooksHost()
    try await hooks.host.setEventTypes(Self.types)
    return hooks
  }

  @Test func `tells what plugins emit, but not what sockets alone are told`() async throws {
    let hooks = try await stocked()
    let list: List = try await hooks.ask("GET", "/v1/event-types").json()
    #expect(list.data.map(\.type) == ["shop.bare", "shop.sold"])
    #expect(list.data.map(\.plugin) == ["shop", "shop"])
    #expect(list.data.map(\.description) == [nil, "Something was sold"])
    #expect(list.data[0].schema.text == "true")
    #expect(list.data[1].examples.map(\.text) == [#"{"n":7}"#, #"{"n":8}"#])
    #expect(list.next == nil)
    try await hooks.host.close()
  }

  @Test func `comes in pages`() async throws {
    let hooks = try await stocked()
    let first: List = try await hooks.ask("GET", "/v1/event-types?limit=1").json()
    #expect(first.data.map(\.type) == ["shop.bare"])
    #expect(first.next == "shop.bare")
    let second: List = try await hooks.ask("GET", "/v1/event-types?limit=1&after=shop.bare").json()
    #expect(second.data.map(\.type) == ["shop.sold"])
    #expect(second.next == nil)
    try await hooks.host.close()
  }

  @Test func `has examples that an endpoint is sent for a test, and that are never sent again`()
    async throws
  {
    let hooks = try await stocked()
    let made = try await hooks.add()
    let reply = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/test", #"{"type":"shop.sold"}"#)
    #expect(reply.status == 202)
    let body = try #require(hooks.server.requests().first?.body)
    #expect(
      body.hasPrefix(#"{"type":"shop.sold","timestamp":""#) && body.hasSuffix(#","data":{"n":7}}"#))
    let since = hooks.host.now.adding(milliseconds: -60_000).rfc3339
    _ = try await hooks.ask("POST", "/v1/webhooks/\(made.id)/replay", "{\"since\":\"\(since)\"}")
    try await hooks.pass(seconds: 1)
    #expect(hooks.server.requests().count == 1)
    try await hooks.host.close()
  }

  @Test(arguments: [
    ("shop.none", "There is no type \"shop.none\"; GET /v1/event-types tells which there are."),
    ("shop.seen", "There is no type \"shop.seen\"; GET /v1/event-types tells which there are."),
    ("shop.bare", "The type \"shop.bare\" has no example to send."),
  ]) func `says which types cannot be tried`(type: String, why: String) async throws {
    let hooks = try await stocked()
    let made = try await hooks.add()
    let reply = try await hooks.ask(
      "POST", "/v1/webhooks/\(made.id)/test", "{\"type\":\"\(type)\"}")
    #expect(reply.status == 400)
    #expect(reply.text.contains(#""pointer":"/type""#))
    #expect(reply.text.contains(why.replacing("\"", with: "\\\"")))
    #expect(hooks.server.requests().isEmpty)
    try await hooks.host.close()
  }
}
