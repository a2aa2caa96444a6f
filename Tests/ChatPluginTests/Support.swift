import PluginKit
import PluginTesting

@testable import ChatPlugin

/// Two types: `messaging` is open to every user, `private` to members alone.
let bothTypes: RawJSON = #"{"types":{"messaging":{"open":true},"private":{}}}"#

/// Runs `body` against the plugin, and fails if a rule of the contract was broken.
func withChat(
  _ config: RawJSON = bothTypes, _ body: (TestHost) async throws -> Void
) async throws {
  let host = try await TestHost(Chat.self, manifest: "Plugins/chat/plugin.json", config: config)
  do {
    try await body(host)
  } catch {
    try? await host.close()
    throw error
  }
  try await host.close()
}

extension TestHost {
  /// Sends a message to `messaging:general` unless another channel is named.
  @discardableResult
  func send(
    _ text: String, id: String? = nil, to channel: String = "messaging/general",
    as principal: Principal = .user("bob")
  ) async throws -> TestReply {
    let id = id.map { #","id":"\#($0)""# } ?? ""
    return try await request(
      "POST", "/v1/channels/\(channel)/messages", body: #"{"text":"\#(text)"\#(id)}"#,
      as: principal)
  }

  /// Lets some rounds pass in which users are told how much they have not read.
  func breathe() async throws {
    try await settle()
    try await advance(milliseconds: 5 * ChatShard.breath)
  }

  func list(
    _ query: String = "", of channel: String = "messaging/general",
    as principal: Principal = .user("alice")
  ) async throws -> TestReply {
    try await request("GET", "/v1/channels/\(channel)/messages\(query)", as: principal)
  }

  @discardableResult
  func create(_ body: String, as principal: Principal = .user("bob")) async throws -> TestReply {
    try await request("POST", "/v1/channels", body: body, as: principal)
  }
}

/// A list, as a client reads it.
struct ListPage<Element: Decodable>: Decodable {
  let data: [Element]
  let next: String?
}

struct Said: Decodable, Equatable {
  let id: String
  let text: String
}

struct ChannelView: Decodable {
  let channel: String
  let createdBy: String?
  let data: RawJSON
  let memberCount: Int
  let members: [String]?

  private enum CodingKeys: String, CodingKey {
    case channel
    case createdBy = "created_by"
    case data
    case memberCount = "member_count"
    case members
  }
}
