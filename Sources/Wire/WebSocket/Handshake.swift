/// The opening handshake, RFC 6455 §4.2, over a request head that was already parsed.
public enum WebSocketHandshake {
  /// What to answer.
  public enum Outcome: Equatable, Sendable {
    /// Answer 101. The span is the client's key, for `appendAccept`.
    case accept(key: ByteSpan)
    /// Answer with the refusal's status.
    case refuse(Refusal)
  }

  /// Why a handshake is refused.
  public enum Refusal: UInt8, Error, Sendable, CaseIterable {
    case notGet
    case notHTTP11
    case noUpgrade
    case hasBody
    case missingVersion
    case unsupportedVersion
    case invalidKey
    case invalidProtocols
    case invalidExtensions

    /// The status to answer with. 426 goes with the fields `Sec-WebSocket-Version: 13`,
    /// `Upgrade: websocket` and `Connection: upgrade`.
    public var status: Int {
      switch self {
      case .notGet: 405
      case .noUpgrade, .unsupportedVersion: 426
      default: 400
      }
    }

    /// What is wrong, for the answer's `detail` member.
    public var message: StaticString {
      switch self {
      case .notGet: "a WebSocket is opened with GET"
      case .notHTTP11: "a WebSocket is opened with HTTP/1.1"
      case .noUpgrade: "this is a WebSocket: send Connection: Upgrade and Upgrade: websocket"
      case .hasBody: "a WebSocket handshake has no body"
      case .missingVersion: "no Sec-WebSocket-Version"
      case .unsupportedVersion: "the only Sec-WebSocket-Version here is 13"
      case .invalidKey: "Sec-WebSocket-Key is not base64 of 16 bytes"
      case .invalidProtocols: "Sec-WebSocket-Protocol is not a list of up to 64 tokens, each once"
      case .invalidExtensions: "Sec-WebSocket-Extensions is not a list of extensions"
      }
    }
  }

  /// Checks everything but the resource and the origin.
  public static func check(
    _ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>,
    in base: UnsafeRawPointer
  ) -> Outcome {
    guard head.method == .get else { return .refuse(.notGet) }
    guard head.versionMinor == 1 else { return .refuse(.notHTTP11) }
    guard head.wantsUpgradeWebSocket else { return .refuse(.noUpgrade) }
    guard !head.hasBody else { return .refuse(.hasBody) }
    guard let version = head.first(.secWebSocketVersion) else { return .refuse(.missingVersion) }
    let number = fields[version].value
    guard number.count == 2, base.byte(number.start) == 0x31, base.byte(number.start + 1) == 0x33
    else { return .refuse(.unsupportedVersion) }
    guard let index = head.first(.secWebSocketKey) else { return .refuse(.invalidKey) }
    let key = fields[index].value
    guard isKey(key.bytes(in: base)) else { return .refuse(.invalidKey) }
    if let refusal = checkLists(head, fields, in: base) { return .refuse(refusal) }
    return .accept(key: key)
  }

  /// Checks what the client offers, which HTTP/2 has too (RFC 8441 §5): subprotocols, of which none may stand twice (RFC 6455
  /// §4.1), and extensions.
  public static func checkLists(
    _ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>,
    in base: UnsafeRawPointer
  ) -> Refusal? {
    if head.first(.secWebSocketProtocol) != nil {
      var names = SubprotocolList(head, fields)
      var count = 0
      while let name = names.next(in: base) {
        count += 1
        guard count <= subprotocols, RequestHeadParser.isToken(base, name.start, name.end) else {
          return .invalidProtocols
        }
        var others = names
        while let other = others.next(in: base) {
          if other.bytes(in: base).elementsEqual(name.bytes(in: base)) { return .invalidProtocols }
        }
      }
      guard count > 0 else { return .invalidProtocols }
    }
    return ExtensionOffers.areWellFormed(head, fields, in: base) ? nil : .invalidExtensions
  }

  /// How many a client may offer, so that comparing each with all others stays cheap.
  private static let subprotocols = 64

  /// Appends the 28 bytes of `Sec-WebSocket-Accept` for a key that `check` accepted.
  public static func appendAccept(for key: UnsafeRawBufferPointer, to output: inout ByteWriter) {
    guard let digest = SHA1.digest(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11") else { return }
    withUnsafeBytes(of: digest) { Base64.standard.encode($0, into: &output) }
  }

  private static func isKey(_ text: UnsafeRawBufferPointer) -> Bool {
    guard text.count == 24 else { return false }
    var bytes = InlineArray<18, UInt8>(repeating: 0)
    return withUnsafeMutableBytes(of: &bytes) { area in
      guard let base = area.baseAddress else { return false }
      var output = ByteWriter(base, capacity: area.count)
      return Base64.standard.decode(text, into: &output) && output.count == 16
    }
  }
}

/// The subprotocols a client offers, in its order of preference, over all fields of that name
/// (RFC 6455 §11.3.4).
public struct SubprotocolList {
  private let fields: UnsafeMutableBufferPointer<HeaderField>
  private let count: Int
  private var index: Int
  private var list = FieldList(.empty)

  /// The offers of a head and its fields, which must outlive this list.
  public init(_ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>) {
    self.fields = fields
    self.count = head.fieldCount
    self.index = head.first(.secWebSocketProtocol) ?? head.fieldCount
  }

  /// The next name, or nil after the last; `base` is the buffer the head was parsed from.
  public mutating func next(in base: UnsafeRawPointer) -> ByteSpan? {
    while true {
      if let name = list.next(in: base) { return name }
      guard index < count else { return nil }
      let field = fields[index]
      index += 1
      if field.id == .secWebSocketProtocol { list = FieldList(field.value) }
    }
  }
}
