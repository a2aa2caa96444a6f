import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

/// The question that reaches a channel's owner.
struct Question: Decodable {
  struct Who: Decodable {
    let kind: String
    let id: String
  }

  let channel: String
  let action: String
  let principal: Who
}

struct Answer: Encodable {
  let allow: Bool
  var reason: String?
}

/// A token that is shown for a purpose; here it says openly whose it is: "user", or "user channel".
struct ShownToken: Decodable {
  struct Identity: Encodable {
    let kind = "user"
    let id: String
    let claims: [String: String]
    let expiresAt: Int64

    private enum CodingKeys: String, CodingKey {
      case kind, id, claims
      case expiresAt = "expires_at_ms"
    }
  }

  let kind: String
  let credential: String

  func identity() throws -> Identity {
    let words = credential.split(separator: " ").map(String.init)
    guard credential != "expired" else { throw HostError(.expired) }
    guard words.count == (kind == "subscription" ? 2 : 1), credential != "invalid" else {
      throw HostError(.unauthenticated)
    }
    return Identity(
      id: words[0], claims: words.count == 2 ? ["channel": words[1]] : [:],
      expiresAt: 1_767_225_600_000 + 90_000)
  }
}

/// Runs `body` against the plugin. The namespace `chat` has an owner, who lets everybody into what does
/// not contain "secret", and breaks on what contains "broken".
func withRealtime(
  _ config: RawJSON = "{}", _ body: (TestHost) async throws -> Void
) async throws {
  let host = try await TestHost(
    Realtime.self, manifest: "Plugins/realtime/plugin.json", config: config
  ) { host in
    try await host.provide("sluice.channel-authority/1", key: "chat", method: 1) {
      (question: Question) in
      if question.channel.contains("broken") { throw HostError(.unavailable, "broken") }
      return question.channel.contains("secret")
        ? Answer(allow: false, reason: "It is a secret.") : Answer(allow: true)
    }
    try await host.provide("sluice.authenticator/1", method: 1) { (shown: ShownToken) in
      try shown.identity()
    }
  }
  do {
    try await body(host)
  } catch {
    try? await host.close()
    throw error
  }
  try await host.close()
}

extension TestHost {
  /// The channels that the plugin listens to for clients.
  var channels: [String] {
    get async throws { try await subscriptions.filter { !$0.hasPrefix("@") } }
  }

  /// Thirty listeners to `chat:a:b`, who come while sixty events are emitted in it.
  func crowd(after position: String? = nil) async throws -> [TestSocket] {
    try await withThrowingTaskGroup(of: TestSocket?.self) { group in
      group.addTask {
        for number in 1...60 { try await self.emit(RawJSON(stringLiteral: "\(number)")) }
        return nil
      }
      for _ in 0..<30 {
        group.addTask {
          let socket = try await self.listen("chat:a:b", after: position)
          _ = try await socket.hello()
          return socket
        }
      }
      var sockets: [TestSocket] = []
      for try await socket in group { if let socket { sockets.append(socket) } }
      return sockets
    }
  }

  func listen(
    _ channels: String, after id: String? = nil, as principal: Principal = .user("alice")
  ) async throws -> TestSocket {
    try await connect(
      "uni_websocket", "/connection/uni_websocket?channels=\(channels)",
      headers: id.map { [("Last-Event-ID", $0)] } ?? [], as: principal)
  }

  /// Commits an event as its owner would; it reaches the bus, unless that loses it.
  func emit(_ data: RawJSON, _ channel: String = "chat:a:b", isLost: Bool = false) async throws {
    let id = "evt_\(data.text)"
    let kept = try await onLoop { world in
      defer { if isLost { world.subscriptions = [] } }
      return world.subscriptions
    }
    _ = try await world.store.emit(
      type: "chat.message.created", channel: channel, data: data.bytes, id: id)
    try await settle()
    if isLost { try await onLoop { $0.subscriptions = kept } }
  }

  /// Has the bus deliver an event, whether it is in the history or not.
  func deliver(offset: UInt64, epoch: String, _ channel: String = "chat:a:b") async throws {
    try await onLoop { $0.deliver(.made(offset, epoch, channel)) }
    try await settle()
  }
}

extension TestPublication {
  static func made(_ offset: UInt64, _ epoch: String, _ channel: String) -> TestPublication {
    TestPublication(
      sequence: offset, offset: offset, time: 0, type: "x.y", id: "evt_\(offset)",
      channel: channel, epoch: epoch, data: "0")
  }
}

extension TestWorld {
  /// Has the bus deliver an event in the first turn of the loop in which somebody has subscribed to its channel.
  func deliverAtOnce(_ publication: TestPublication) {
    later {
      if !self.subscriptions.contains(where: { $0.channel == publication.channel }) {
        self.deliverAtOnce(publication)
      } else {
        self.deliver(publication)
      }
    }
  }
}

/// A message on the socket, as a client reads it.
struct Seen: Decodable, Equatable {
  struct Channel: Decodable, Equatable {
    let channel: String
    let offset: UInt64
    let epoch: String
  }

  let type: String?
  let channel: String?
  let offset: UInt64?
  let epoch: String?
  let channels: [Channel]?
}

extension TestSocket {
  /// The first message.
  func hello() async throws -> Seen {
    try await #require(messages(1).first).json()
  }

  /// The offsets of all events so far, once there are `count` messages.
  func offsets(_ count: Int) async throws -> [UInt64?] {
    try await messages(count).dropFirst().map { try $0.json(Seen.self).offset }
  }
}
