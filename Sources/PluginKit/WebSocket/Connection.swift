internal import CSluice

/// A WebSocket connection of this shard. A value: keep it as long as you like; once the connection has
/// ended every call answers `.stale`. Loop thread only.
public struct Connection {
  unowned(unsafe) let shard: ShardContext
  /// The number by which the host knows the connection; never used again for another.
  public let token: UInt64
  /// What `open` returned; 0 while in `open`.
  public let context: UInt64

  init(shard: ShardContext, token: UInt64, context: UInt64) {
    self.shard = shard
    self.token = token
    self.context = context
  }

  /// Queues a text message; it must be valid UTF-8, which a `String` always is.
  ///
  /// - Returns: `.ok`; `.stale` when the connection has ended; `.overloaded` when the peer has not
  ///   kept up, and the host is closing the connection with 3008.
  @discardableResult
  public func send(_ text: String) -> Status {
    text.withSlice { send(SLUICE_MESSAGE_TEXT, $0) }
  }

  /// Queues a message of borrowed bytes.
  @discardableResult
  public func send(_ bytes: Bytes, as kind: Message.Kind) -> Status {
    send(kind.rawValue, bytes.slice)
  }

  /// Queues a message of bytes; `.text` must be valid UTF-8.
  @discardableResult
  public func send(_ bytes: [UInt8], as kind: Message.Kind) -> Status {
    bytes.withSlice { send(kind.rawValue, $0) }
  }

  /// Queues a value as JSON text.
  @discardableResult
  public func send<Value: Encodable>(json value: Value) throws -> Status {
    send(try JSON.encode(value), as: .text)
  }

  /// Starts the closing handshake; `closed` follows.
  ///
  /// - Parameters:
  ///   - code: 1000, or 3000 to 4999 (RFC 6455 §7.4.2).
  ///   - reason: at most 123 bytes of UTF-8.
  @discardableResult
  public func close(code: Int = 1000, reason: String = "") -> Status {
    guard let (socket, host) = shard.websocket else { return .unsupported }
    return Status(
      rawValue: reason.withSlice {
        socket.pointee.close(host, token, UInt32(clamping: code), $0)
      })
  }

  /// Bytes queued that the kernel has not taken yet; 0 when the connection has ended.
  public var queued: Int {
    guard let (socket, host) = shard.websocket else { return 0 }
    return Int(clamping: socket.pointee.queued(host, token))
  }

  /// Who opened the connection; anonymous when it has ended.
  public var principal: Principal {
    guard let (socket, host) = shard.websocket else { return .anonymous }
    var value = sluice_principal_v1_t()
    guard socket.pointee.principal(host, token, &value) == SLUICE_OK else { return .anonymous }
    return Principal(value)
  }

  private func send(_ kind: UInt32, _ message: sluice_slice_t) -> Status {
    guard let (socket, host) = shard.websocket else { return .unsupported }
    return Status(rawValue: socket.pointee.send(host, token, kind, message))
  }
}

extension Connection: Hashable {
  public static func == (a: Connection, b: Connection) -> Bool { a.token == b.token }

  public func hash(into hasher: inout Hasher) { hasher.combine(token) }
}

/// A whole WebSocket message, borrowed until the handler returns.
public struct Message {
  /// What the frames were marked as (RFC 6455 §5.6).
  public enum Kind: UInt32, Sendable {
    /// Valid UTF-8; the host has checked it.
    case text = 1
    case binary = 2
  }

  /// Text or binary, as the peer sent it.
  public let kind: Kind
  /// The payload, borrowed.
  public let bytes: Bytes

  init(_ kind: UInt32, _ slice: sluice_slice_t) {
    self.kind = Kind(rawValue: kind) ?? .binary
    self.bytes = Bytes(slice)
  }

  /// A copy as text.
  public var text: String { bytes.text }

  /// The message as a value.
  ///
  /// - Throws: `JSONError` with the JSON pointer of what is wrong.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSON.decode(type, from: bytes)
  }
}

/// How a connection ended.
public struct CloseReason: Sendable, Equatable {
  /// The peer's close code; 1005 if it gave none, 1006 if the connection was cut (RFC 6455 §7.4.1).
  public let code: Int
  /// The peer's words.
  public let text: String

  /// For tests; the host makes those that a handler sees.
  public init(code: Int, text: String) {
    self.code = code
    self.text = text
  }
}
