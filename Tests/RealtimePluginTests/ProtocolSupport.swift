import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

/// A line that a client gets, as far as the tests look at it.
struct Line: Decodable {
  struct Failure: Decodable {
    let code: Int
    let message: String
    let temporary: Bool?
  }

  struct Publication: Decodable {
    let data: RawJSON
    let offset: UInt64?
    let delta: Bool?
    let info: Info?
  }

  struct Info: Decodable, Equatable {
    let user: String
    let client: String
  }

  struct Subscribed: Decodable {
    let recoverable: Bool?
    let positioned: Bool?
    let recovered: Bool?
    let wasRecovering: Bool?
    let delta: Bool?
    let offset: UInt64?
    let epoch: String?
    let publications: [Publication]?

    private enum CodingKeys: String, CodingKey {
      case recoverable, positioned, recovered
      case wasRecovering = "was_recovering"
      case delta, offset, epoch, publications
    }
  }

  struct Connected: Decodable {
    let client: String
    let version: String
    let ping: Int
    let pong: Bool
    let expires: Bool?
    let ttl: Int?
    let subs: [String: Subscribed]?
    let session: String?
    let node: String?
  }

  struct Push: Decodable {
    struct Who: Decodable { let info: Info }
    struct Unsubscribed: Decodable { let code: Int }
    struct Disconnected: Decodable, Equatable {
      let code: Int
      let reason: String
    }

    let channel: String?
    let pub: Publication?
    let join: Who?
    let leave: Who?
    let unsubscribe: Unsubscribed?
    let disconnect: Disconnected?
  }

  struct Members: Decodable { let presence: [String: Info]? }
  struct Stats: Decodable {
    let clients: Int?
    let users: Int?

    private enum CodingKeys: String, CodingKey {
      case clients = "num_clients"
      case users = "num_users"
    }
  }
  struct Answered: Decodable { let data: RawJSON }
  struct Page: Decodable {
    let publications: [Publication]?
    let offset: UInt64?
    let epoch: String?
  }

  let id: Int?
  let error: Failure?
  let connect: Connected?
  let subscribe: Subscribed?
  let presence: Members?
  let stats: Stats?
  let history: Page?
  let rpc: Answered?
  let push: Push?

  private enum CodingKeys: String, CodingKey {
    case id, error, connect, subscribe, presence
    case stats = "presence_stats"
    case history, rpc, push
  }
}

/// A client of the protocol, as an SDK would be one.
struct ProtocolClient {
  let host: TestHost
  let socket: TestSocket
  let name: String
  let connected: Line.Connected

  /// Every line that has come so far.
  var lines: [Line] {
    get async throws {
      try await socket.received.flatMap { message in
        try message.bytes.split(separator: UInt8(ascii: "\n")).map {
          try JSON.decode(Line.self, from: Array($0))
        }
      }
    }
  }

  /// The publications that were pushed, in their order.
  func publications(in channel: String) async throws -> [Line.Publication] {
    try await lines.compactMap { $0.push?.channel == channel ? $0.push?.pub : nil }
  }

  /// The data of what was pushed.
  func heard(in channel: String) async throws -> [String] {
    try await publications(in: channel).map(\.data.text)
  }

  /// Sends a command and returns its reply.
  @discardableResult
  func ask(_ id: Int, _ request: String) async throws -> Line {
    try await socket.send(#"{"id":\#(id),\#(request)}"#)
    try await host.settle()
    return try #require(try await lines.last { $0.id == id })
  }

  @discardableResult
  func subscribe(_ channel: String, _ more: String = "", id: Int = 2) async throws -> Line {
    try await ask(id, #""subscribe":{"channel":"\#(channel)"\#(more)}"#)
  }

  func publish(_ data: String, in channel: String, id: Int = 9) async throws -> Line {
    try await ask(id, #""publish":{"channel":"\#(channel)","data":\#(data)}"#)
  }
}

extension TestHost {
  /// Opens a socket of the protocol that has not said "connect".
  func open(as principal: Principal = .user("alice")) async throws -> TestSocket {
    try await connect("websocket", "/connection/websocket", as: principal)
  }

  func client(
    as principal: Principal = .user("alice"), _ request: String = "{}"
  ) async throws -> ProtocolClient {
    let socket = try await open(as: principal)
    try await socket.send(#"{"id":1,"connect":\#(request)}"#)
    try await settle()
    let line = try #require(try await socket.received.first).json(Line.self)
    let connected = try #require(line.connect)
    return ProtocolClient(
      host: self, socket: socket, name: connected.client, connected: connected)
  }
}

/// Settings in which users may do everything.
let everything: RawJSON = #"""
  {"personal_channel":true,
   "without_namespace":{"join_leave":true,"force_push_join_leave":true,"publish_for_client":"subscribers",
     "allowed_delta_types":["fossil"]},
   "namespaces":{
     "small":{"history_size":2,"publish_for_client":"users","presence":false},
     "fleeting":{"history_size":0,"publish_for_client":"users"},
     "cache":{"recovery_mode":"cache","publish_for_client":"users"},
     "closed":{"subscribe_for_client":"nobody"}}}
  """#
