internal import CSluice

/// What a client has said over a socket that another plugin may own: a message that the manifest declares under `messages`.
///
/// The host has checked scopes, rate and schema. A value: it may be kept.
public struct ClientMessage: Sendable {
  /// "notes.rename"
  public let type: String
  /// Who sent it.
  public let principal: Principal
  /// As the type's schema says.
  public let data: RawJSON

  /// A message for tests.
  @_spi(PluginTesting)
  public init(type: String, principal: Principal, data: RawJSON) {
    self.type = type
    self.principal = principal
    self.data = data
  }

  /// The data as a value.
  ///
  /// - Throws: `JSONError` with the JSON pointer of what is wrong, which the client is told.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try data.decode(type)
  }
}

extension Registry {
  /// A message that clients may send over sockets, answered at once.
  ///
  /// - Parameters:
  ///   - name: what the manifest calls the handler under `messages`.
  ///   - handler: its result is the reply. A `Problem` thrown is told to the client with code and detail.
  public mutating func message<Reply: Encodable>(
    _ name: String, _ handler: @escaping (Shard, ClientMessage) throws -> Reply
  ) {
    plan.add(
      message: name,
      .synchronous { try JSON.encode(try handler(unsafeDowncast($0, to: Shard.self), $1)) })
  }

  /// As the other, and may await.
  public mutating func message<Reply: Encodable>(
    _ name: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, ClientMessage) async throws -> Reply
  ) {
    plan.add(
      message: name,
      .asynchronous { try JSON.encode(try await handler(unsafeDowncast($0, to: Shard.self), $1)) })
  }
}

extension ShardContext {
  /// Hands what a client has said to the plugin of the tenant that declares the type: `sluice.messages/1`. Loop thread only.
  ///
  /// - Parameters:
  ///   - type: as a manifest declares it under `messages`.
  ///   - data: JSON for that type; it is checked against the type's schema.
  ///   - connection: the WebSocket of this shard that it came on, whose principal sends it.
  /// - Returns: the reply.
  /// - Throws: `Problem` with what the client is to be told, its status as of a request; `HostError` with `.notFound` when
  ///   nobody takes messages of the type, with `.stale` when the connection is gone; `ExtensionUnavailable`.
  public func dispatch(
    _ type: String, _ data: RawJSON, from connection: Connection
  ) async throws -> RawJSON {
    try await dispatch(type, data, from: connection.token)
  }

  /// As the other, for what came with a request that this plugin has pending.
  public func dispatch(
    _ type: String, _ data: RawJSON, from request: Request
  ) async throws -> RawJSON {
    try await dispatch(type, data, from: request.token)
  }

  /// As the other, for what concerns an answer that this plugin sends as things happen.
  public func dispatch(
    _ type: String, _ data: RawJSON, from stream: PushStream
  ) async throws -> RawJSON {
    try await dispatch(type, data, from: stream.token)
  }

  private func dispatch(
    _ type: String, _ data: RawJSON, from sender: UInt64
  ) async throws -> RawJSON {
    let (messages, host) = try link.require("sluice.messages/1", sluice_messages_v1_t.self)
    // What is refused at once nobody was asked.
    var atOnce = SLUICE_OK
    let (status, reply) = try await call(
      { completion, call in
        atOnce = type.withSlice { type in
          data.bytes.withSlice {
            messages.pointee.dispatch(host, sender, type, $0, completion, call)
          }
        }
        return atOnce
      },
      finish: { ($0, Array(Bytes($1))) })
    if status >= 0 { return RawJSON(unchecked: reply) }
    if status == SLUICE_E_STALE { throw HostError(.stale, "The connection is gone.") }
    if atOnce == SLUICE_E_NOT_FOUND {
      throw HostError(.notFound, "Nobody takes messages of the type \"\(type)\".")
    }
    let standard = Problem(status)
    guard let said = try? JSON.decode(MessageProblem.self, from: reply) else { throw standard }
    throw Problem(
      status: standard.status, code: said.code, detail: said.detail,
      errors: (said.errors ?? []).map { .init(pointer: $0.pointer, message: $0.message) })
  }

  /// Counts what a client asks this plugin itself for over a connection, as a request of its and of the tenant's. Loop thread only.
  ///
  /// - Throws: `Problem` 429 `rate_limited`: it is one too many. Needs `sluice.messages/1`; without it nothing is counted.
  public func admit(_ connection: Connection) throws { try admit(connection.token) }

  /// As the other, for what concerns an answer that this plugin sends as things happen.
  public func admit(_ stream: PushStream) throws { try admit(stream.token) }

  private func admit(_ sender: UInt64) throws {
    guard let (messages, host) = link.find("sluice.messages/1", sluice_messages_v1_t.self) else {
      return
    }
    guard messages.pointee.admit(host, sender) == SLUICE_E_LIMITED else { return }
    throw Problem(
      status: 429, code: "rate_limited", detail: "More is asked for than the limits allow.")
  }

  /// Counts messages that one message of a WebSocket has held beside itself, against the tenant's plan. Loop thread only.
  ///
  /// - Returns: false when the plan allows no more: the host has closed the connection.
  public func count(_ messages: Int, of connection: Connection) -> Bool {
    count(messages, of: connection.token)
  }

  /// Counts messages of whoever hears an answer that this plugin sends as things happen. Loop thread only.
  ///
  /// - Returns: false when the plan allows no more: the answer is to be ended.
  public func count(_ messages: Int, of stream: PushStream) -> Bool {
    count(messages, of: stream.token)
  }

  private func count(_ count: Int, of sender: UInt64) -> Bool {
    guard count > 0,
      let (messages, host) = link.find("sluice.messages/1", sluice_messages_v1_t.self)
    else { return true }
    return messages.pointee.count(host, sender, UInt32(clamping: count)) != SLUICE_E_DENIED
  }

  /// A message for this plugin: `sluice.message-handler/1`.
  func hear(
    _ handler: UInt32, _ message: ClientMessage, _ token: sluice_token_t
  ) -> sluice_status_t {
    guard let shard, handlers.plan.messages.indices.contains(Int(handler)) else {
      return SLUICE_E_UNSUPPORTED
    }
    guard let (messages, host) = link.find("sluice.messages/1", sluice_messages_v1_t.self) else {
      log.error("\(ExtensionUnavailable("sluice.messages/1"))")
      return SLUICE_E_DENIED
    }
    return respond(
      with: handlers.plan.messages[Int(handler)], of: shard, to: message,
      failed: { [self] in refused(message, $0) },
      reply: { messages.pointee.reply(host, token, $0, $1) })
  }

  /// The status and the object that the sender gets.
  private func refused(_ message: ClientMessage, _ error: any Error) -> (sluice_status_t, [UInt8]) {
    if let error = error as? JSONError {
      let problem = Problem.invalid(
        "The data is not what is expected here.",
        errors: [Problem.Fault(pointer: error.pointer, message: error.message)])
      return (SLUICE_E_INVALID, MessageProblem(problem).json)
    }
    let answer = ErrorAnswer(error)
    switch answer {
    case .problem(let problem): return (answer.status, MessageProblem(problem).json)
    case .unexpected(let error):
      log.error("a message failed", ["type": message.type, "error": "\(error)"])
      return (answer.status, [])
    default: return (answer.status, [])
    }
  }
}

/// What a refused message's sender is told, as ext/messages.h has it.
private struct MessageProblem: Codable {
  struct Fault: Codable {
    var pointer: String
    var message: String
  }

  var code: String
  var detail: String
  var errors: [Fault]?

  init(_ problem: Problem) {
    code = problem.code
    detail = problem.detail
    errors =
      problem.errors.isEmpty
      ? nil : problem.errors.map { Fault(pointer: $0.pointer, message: $0.message) }
  }

  var json: [UInt8] { (try? JSON.encode(self)) ?? [] }
}
