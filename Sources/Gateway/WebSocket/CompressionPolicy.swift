internal import Deflate
internal import Wire

/// How a WebSocket route's messages are compressed (permessage-deflate, RFC 7692).
public struct CompressionPolicy: Sendable, Hashable {
  /// What a connection may remember of its messages. Each case allows what those before it do.
  public enum Mode: UInt8, Sendable, Comparable, CaseIterable {
    /// Nothing is compressed.
    case off
    /// Each message is compressed by itself: an idle connection costs nothing more.
    case noContext
    /// Messages are compressed with those before in view: smaller, for some ten kilobytes a connection.
    case context

    public static func < (one: Mode, other: Mode) -> Bool { one.rawValue < other.rawValue }
  }

  /// Whether messages are compressed, and with what in view.
  public var mode = Mode.noContext
  /// zlib's level, 1 (fastest) to 9 (smallest).
  public var level: UInt8 = 1
  /// Bytes of the smallest message that is compressed.
  public var minimumBytes: UInt16 = 128
  /// The window of a connection that remembers, as a power of two, 9 to 15.
  public var windowBits: UInt8 = 12

  /// The default: each message by itself.
  public init() {}

  var terms: DeflateTerms {
    DeflateTerms(allowsContextTakeover: mode == .context, contextWindowBits: windowBits)
  }
}

/// What a socket has agreed on about compression, in few bytes.
struct SocketDeflate {
  /// The window for what is sent; 0 when nothing is compressed.
  var windowBits: UInt8 = 0
  /// The window of what comes.
  var peerWindowBits: UInt8 = 15
  var level: UInt8 = 1
  var flags: Flags = []
  var minimumBytes: UInt16 = 0

  struct Flags: OptionSet {
    let rawValue: UInt8
    /// What is sent is compressed with earlier messages in view.
    static let keepsContext = Flags(rawValue: 1)
    /// What comes is.
    static let peerKeepsContext = Flags(rawValue: 2)
    /// Counted as one of the compression states that connections may hold.
    static let holdsState = Flags(rawValue: 4)
    /// The peer has inflated what the socket's own compressor has not seen.
    static let isStale = Flags(rawValue: 8)
  }

  init() {}

  init(_ agreed: DeflateParameters, _ policy: CompressionPolicy) {
    windowBits = agreed.serverMaxWindowBits
    peerWindowBits = agreed.clientMaxWindowBits
    level = policy.level
    minimumBytes = max(policy.minimumBytes, 1)
    if !agreed.serverNoContextTakeover { flags.insert(.keepsContext) }
    if !agreed.clientNoContextTakeover { flags.insert(.peerKeepsContext) }
  }

  var isAgreed: Bool { windowBits != 0 }
}

/// What a socket owns while it compresses or inflates: between messages only where contexts are kept.
struct SocketCodecs {
  var deflater: Deflater?
  var inflater: Inflater?
}
