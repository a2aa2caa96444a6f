internal import Gateway

/// What a `compression` says: the operator's, for all WebSockets or for one tenant's, or a manifest's, for one socket.
///
/// What is not said is left to the next in the order socket, tenant, gateway. The mode of tenant or gateway is also the
/// most that a socket gets.
public struct CompressionChoice: Sendable, Hashable {
  /// What a connection may remember of its messages (RFC 7692 §7.1.1).
  public enum Mode: String, Sendable, CaseIterable {
    case off
    /// Each message is compressed by itself.
    case noContext = "no-context"
    /// Messages are compressed with those before in view.
    case context
  }

  /// nil takes what the next wider choice says: socket, tenant, gateway.
  public var mode: Mode?
  /// zlib's level, 1 to 9.
  public var level: Int?
  /// Bytes of the smallest message that is compressed.
  public var minimumBytes: Int?
  /// The window of a connection that remembers, as a power of two, 9 to 15.
  public var windowBits: Int?

  /// Nothing is said.
  public init() {}

  init(reading reader: inout ObjectReader) {
    mode = reader.optional("mode")?.word()
    level = reader.optional("level")?.integer(in: 1...9)
    minimumBytes = reader.optional("min_bytes")?.integer(in: 0...65_535)
    windowBits = reader.optional("window_bits")?.integer(in: 9...15)
  }

  /// This choice where it says something, else `other`.
  public func over(_ other: CompressionChoice) -> CompressionChoice {
    var choice = self
    choice.mode = mode ?? other.mode
    choice.level = level ?? other.level
    choice.minimumBytes = minimumBytes ?? other.minimumBytes
    choice.windowBits = windowBits ?? other.windowBits
    return choice
  }

  /// What a socket gets whose manifest says this, where the operator says `bounds`.
  func policy(within bounds: CompressionChoice) -> CompressionPolicy {
    let choice = over(bounds)
    var policy = CompressionPolicy()
    let most = bounds.mode?.own ?? policy.mode
    policy.mode = min(choice.mode?.own ?? most, most)
    if let level = choice.level { policy.level = UInt8(clamping: level) }
    if let bytes = choice.minimumBytes { policy.minimumBytes = UInt16(clamping: bytes) }
    if let bits = choice.windowBits { policy.windowBits = UInt8(clamping: bits) }
    return policy
  }
}

extension CompressionChoice.Mode {
  fileprivate var own: CompressionPolicy.Mode {
    switch self {
    case .off: .off
    case .noContext: .noContext
    case .context: .context
    }
  }
}
