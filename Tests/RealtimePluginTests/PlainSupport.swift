import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

/// A message of `/ws`, as far as the tests look at it.
struct Told: Decodable, Equatable {
  struct Fault: Decodable, Equatable { let pointer: String }

  let type: String
  let id: RawJSON?
  let code: String?
  let detail: String?
  let errors: [Fault]?
  let channel: String?
  let offset: UInt64?
  let epoch: String?
  let recovered: Bool?
  let data: RawJSON?
}

/// A client of `/ws`.
struct PlainClient {
  let host: TestHost
  let socket: TestSocket

  /// Every message that has come so far.
  var told: [Told] {
    get async throws { try await socket.received.map { try $0.json() } }
  }

  /// Says something, and returns what comes back under this id.
  func ask(_ id: Int, _ members: String) async throws -> Told {
    try await socket.send(#"{"id":\#(id),\#(members)}"#)
    try await host.settle()
    return try #require(try await told.last { $0.id?.text == "\(id)" })
  }

  @discardableResult
  func subscribe(_ channel: String, _ more: String = "", id: Int = 2) async throws -> Told {
    try await ask(id, #""type":"subscribe","channel":"\#(channel)"\#(more)"#)
  }

  func publish(_ data: String, in channel: String, id: Int = 9) async throws -> Told {
    try await ask(id, #""type":"publish","channel":"\#(channel)","data":\#(data)"#)
  }

  /// The events of a channel.
  func events(in channel: String) async throws -> [Told] {
    try await told.filter {
      $0.channel == channel && $0.type != "ack" && $0.type != "system_message" && $0.type != "error"
    }
  }
}

extension TestHost {
  func plain(as principal: Principal = .user("alice")) async throws -> PlainClient {
    let socket = try await connect("ws", "/ws", as: principal)
    try await settle()
    return PlainClient(host: self, socket: socket)
  }
}
