internal import CSluice
@_spi(PluginTesting) public import PluginKit

/// A message that the plugin sent.
public struct TestMessage: Sendable, Equatable {
  /// Text or binary (RFC 6455 §5.6).
  public let isText: Bool
  /// The payload, a copy.
  public let bytes: [UInt8]

  /// The payload as text; invalid UTF-8 is replaced.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The message as a value.
  public func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSON.decode(type, from: bytes)
  }
}

/// A handshake that the plugin refused.
public struct TestRefused: Error, Sendable {
  /// What the handler answered instead of opening.
  public let reply: TestReply
}

extension TestHost {
  /// Opens a WebSocket.
  ///
  /// - Parameter handler: as the manifest calls it under `sockets`.
  /// - Throws: `TestRefused` with the plugin's answer.
  public func connect(
    _ handler: String, _ target: String = "/", headers: [(String, String)] = [],
    as principal: Principal = .anonymous
  ) async throws -> TestSocket {
    let number = try await resolving { handlers in
      handlers.websocket.flatMap { TestHost.number(handler, $0.pointee.resolve) }
    }
    guard let number else { throw TestFailure("the plugin has no socket \"\(handler)\"") }
    let (path, query) = TestTarget.split(target)
    let head = TestExchange.Head(
      method: "GET", path: path, parameters: [], query: query, headers: headers, body: [],
      id: "req_socket", principal: principal)
    let closing = TestPromise<CloseReason>()
    let token = try await onLoop { world in
      let refusal = TestPromise<TestReply>()
      let (request, connection) = (world.token(), world.token())
      let peer = TestPeer(principal, handler: number) { closing.fulfil($0) }
      world.exchanges[request] = TestExchange(head, handler: number) { refusal.fulfil($0) }
      world.connections[connection] = peer
      let status = world.handlers.websocket?.pointee.open(
        world.shard, number, request, connection, &peer.context)
      let wasAnswered = world.exchanges[request] == nil
      world.retire(request)
      guard let status, status < 0 else { return Result<UInt64, TestOpening>.success(connection) }
      world.connections[connection] = nil
      for group in world.groups.keys { world.groups[group]?.remove(connection) }
      return .failure(
        TestOpening(status: status, answer: wasAnswered ? refusal : nil))
    }
    switch token {
    case .success(let token): return TestSocket(host: self, token: token, closing: closing)
    case .failure(let refused):
      guard let answer = refused.answer else {
        throw TestRefused(reply: TestReply(status: refused.status))
      }
      throw TestRefused(reply: try await answer.value("the refusal has no answer"))
    }
  }

  /// Looks for something in the plugin's tables, on the control thread.
  func resolving<Value: Sendable>(
    _ body: @escaping @Sendable (TestHandlers) throws -> Value
  ) async throws -> Value {
    let (world, select) = (world, choosing)
    return try await world.control.run {
      var result: Value?
      try select { result = try body(world.handlers) }
      guard let result else { throw TestFailure("nothing was resolved") }
      return result
    }
  }
}

private struct TestOpening: Error {
  let status: Int32
  let answer: TestPromise<TestReply>?
}

/// The other end of a WebSocket that the plugin owns.
public struct TestSocket: Sendable {
  let host: TestHost
  let token: UInt64
  let closing: TestPromise<CloseReason>

  /// Sends a text message and returns when the plugin's callback has.
  public func send(_ text: String) async throws {
    try await send(Array(text.utf8), isText: true)
  }

  /// Sends a message.
  public func send(_ bytes: [UInt8], isText: Bool) async throws {
    try await host.onLoop { world in
      guard let peer = world.connections[token], peer.closing == nil else {
        throw TestFailure("the connection has ended")
      }
      let (handler, context) = (peer.handler, peer.context)
      world.later {
        world.handlers.websocket?.pointee.message(
          world.shard, handler, context, token,
          isText ? SLUICE_MESSAGE_TEXT : SLUICE_MESSAGE_BINARY, world.lend(bytes))
      }
    }
  }

  /// What has come so far.
  public var received: [TestMessage] {
    get async throws { try await host.onLoop { $0.connections[token]?.received ?? [] } }
  }

  /// All that has come, once there are `count` messages.
  ///
  /// - Throws: `TestFailure` after 10 s.
  public func messages(_ count: Int) async throws -> [TestMessage] {
    let promise = TestPromise<[TestMessage]>()
    try await host.onLoop { world in
      guard let peer = world.connections[token] else {
        throw TestFailure("the connection has ended")
      }
      if peer.received.count >= count {
        promise.fulfil(peer.received)
      } else {
        peer.waiters.append((count, { promise.fulfil($0) }))
      }
    }
    let messages = try await promise.value("\(count) messages have not come after 10 s")
    guard messages.count >= count else {
      throw TestFailure("the connection ended after \(messages.count) of \(count) messages")
    }
    return messages
  }

  /// Forgets what has come so far.
  public func clear() async throws {
    try await host.onLoop { $0.connections[token]?.received = [] }
  }

  /// Stops or goes on taking what is sent, as a slow peer does.
  public func read(_ isReading: Bool) async throws {
    try await host.onLoop { world in
      world.connections[token]?.isReading = isReading
      if isReading { world.connections[token]?.queued = 0 }
    }
  }

  /// Ends the connection from this side.
  public func close(code: Int = 1000, reason: String = "") async throws {
    try await host.onLoop { $0.end(token, CloseReason(code: code, text: reason)) }
  }

  /// How the connection ended, when it has.
  public func closed() async throws -> CloseReason {
    try await closing.value("the connection has not been closed after 10 s")
  }
}
