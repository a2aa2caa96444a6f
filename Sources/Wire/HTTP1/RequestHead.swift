/// One header field: where its name and value lie in the request's buffer.
public struct HeaderField: Sendable {
  @usableFromInline var nameOffset: UInt32
  @usableFromInline var nameLength: UInt16
  /// Which well-known field it is, if any.
  public let id: HeaderID
  /// The value without the whitespace around it.
  public let value: ByteSpan

  /// The name as it was sent.
  @inlinable
  public var name: ByteSpan { ByteSpan(offset: nameOffset, length: UInt32(nameLength)) }

  init(nameOffset: Int, nameLength: Int, id: HeaderID, value: ByteSpan) {
    self.nameOffset = UInt32(truncatingIfNeeded: nameOffset)
    self.nameLength = UInt16(truncatingIfNeeded: nameLength)
    self.id = id
    self.value = value
  }
}

/// What a complete request head says (RFC 9112 §2.1), as spans into the buffer it was parsed from.
///
/// A plain value of fixed size without references. Valid while the buffer is.
public struct RequestHead: Sendable {
  /// The method.
  public internal(set) var method: HTTPMethod
  /// The minor version: 0 for HTTP/1.0, 1 for HTTP/1.1 and any later 1.x (RFC 9110 §2.5).
  public internal(set) var versionMinor: UInt8
  /// How many of the caller's header fields are filled.
  public internal(set) var fieldCount: Int
  @usableFromInline var flags: HeadFlags
  /// Bytes of body announced by Content-Length; -1 when there is no such field. A request with
  /// neither this nor `isChunked` has no body (RFC 9112 §6.3).
  public internal(set) var contentLength: Int64
  /// The method as sent.
  public internal(set) var methodSpan: ByteSpan
  /// The whole request target as sent.
  public internal(set) var target: ByteSpan
  /// The path, percent-encoded, never empty: `/…`, or `*` for OPTIONS.
  public internal(set) var path: ByteSpan
  /// The query after `?`, percent-encoded. Empty when there is none.
  public internal(set) var query: ByteSpan
  /// The host and optional port asked for: of the target in absolute form, else of the Host field
  /// (RFC 9112 §3.2.2). Empty only in HTTP/1.0 without either.
  public internal(set) var authority: ByteSpan
  @usableFromInline var firstIndex: InlineArray<40, UInt8>

  /// An empty head, to be filled by `RequestHeadParser`.
  public init() {
    method = .other
    versionMinor = 1
    fieldCount = 0
    flags = []
    contentLength = -1
    methodSpan = .empty
    target = .empty
    path = .empty
    query = .empty
    authority = .empty
    firstIndex = InlineArray(repeating: 0xff)
  }

  /// The index of the first field with this id, or nil. `.other` has none.
  @inlinable
  public func first(_ id: HeaderID) -> Int? {
    let index = firstIndex[Int(id.rawValue)]
    return index == 0xff ? nil : Int(index)
  }

  /// Whether the body comes in chunks (RFC 9112 §7.1).
  @inlinable
  public var isChunked: Bool { flags.contains(.chunked) }

  /// Whether the connection may carry another request after this one (RFC 9112 §9.3). Never after one that asks for a
  /// WebSocket: if that is refused, what follows may be frames, which are no requests.
  @inlinable
  public var keepAlive: Bool { flags.contains(.keepAlive) }

  /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1).
  @inlinable
  public var expectsContinue: Bool { flags.contains(.expectsContinue) }

  /// Whether an HTTP/1.1 request names `upgrade` in Connection and `websocket` in Upgrade.
  @inlinable
  public var wantsUpgradeWebSocket: Bool { flags.contains(.webSocket) }

  /// Whether the path has neither `%` nor `.`, so that its bytes are its meaning: no decoding, no
  /// dot segments.
  @inlinable
  public var isPathPlain: Bool { flags.contains(.plainPath) }

  /// Whether there is a `?` in the target, even with nothing after it.
  @inlinable
  public var hasQuery: Bool { flags.contains(.query) }

  /// Whether there is a field Forwarded (RFC 7239 §4).
  @inlinable
  public var hasForwarded: Bool { flags.contains(.forwarded) }

  /// Whether the path is plain and in origin form, and there is neither a query nor a field Forwarded: nothing that seldom
  /// is there.
  @inlinable
  public var isPlain: Bool {
    flags.intersection([.plainPath, .query, .forwarded, .absoluteForm]) == .plainPath
  }

  /// Whether the target is in absolute form: `http://host/path`.
  @inlinable
  public var isAbsoluteForm: Bool { flags.contains(.absoluteForm) }

  /// Whether the client says that it asks for something of `https`: by the target in absolute form, or in HTTP/2.
  @inlinable
  public var isForHTTPS: Bool { flags.contains(.secureTarget) }

  /// Whether it asks about the server as a whole: `OPTIONS *`, or an OPTIONS whose target in absolute form has neither path
  /// nor query (RFC 9112 §3.2.4).
  @inlinable
  public var isAboutServer: Bool { flags.contains(.serverTarget) }

  /// Whether a body follows the head.
  @inlinable
  public var hasBody: Bool { isChunked || contentLength > 0 }
}

@usableFromInline
struct HeadFlags: OptionSet, Sendable {
  @usableFromInline var rawValue: UInt16
  @usableFromInline init(rawValue: UInt16) { self.rawValue = rawValue }

  @usableFromInline static var chunked: HeadFlags { HeadFlags(rawValue: 1) }
  @usableFromInline static var keepAlive: HeadFlags { HeadFlags(rawValue: 2) }
  @usableFromInline static var expectsContinue: HeadFlags { HeadFlags(rawValue: 4) }
  @usableFromInline static var webSocket: HeadFlags { HeadFlags(rawValue: 8) }
  @usableFromInline static var plainPath: HeadFlags { HeadFlags(rawValue: 16) }
  @usableFromInline static var query: HeadFlags { HeadFlags(rawValue: 32) }
  @usableFromInline static var absoluteForm: HeadFlags { HeadFlags(rawValue: 64) }
  @usableFromInline static var forwarded: HeadFlags { HeadFlags(rawValue: 128) }
  @usableFromInline static var secureTarget: HeadFlags { HeadFlags(rawValue: 4096) }
  @usableFromInline static var serverTarget: HeadFlags { HeadFlags(rawValue: 8192) }
  // What only the parser asks about, until it has seen the whole head.
  static var connectionClose: HeadFlags { HeadFlags(rawValue: 256) }
  static var connectionKeepAlive: HeadFlags { HeadFlags(rawValue: 512) }
  static var connectionUpgrade: HeadFlags { HeadFlags(rawValue: 1024) }
  static var upgradeWebSocket: HeadFlags { HeadFlags(rawValue: 2048) }
}
