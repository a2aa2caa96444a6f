/// One offer of permessage-deflate, RFC 7692 §7.1.
public struct DeflateOffer: Equatable, Sendable {
  static let name: StaticString = "permessage-deflate"
  static let serverNoContextTakeover: StaticString = "server_no_context_takeover"
  static let clientNoContextTakeover: StaticString = "client_no_context_takeover"
  static let serverMaxWindowBits: StaticString = "server_max_window_bits"
  static let clientMaxWindowBits: StaticString = "client_max_window_bits"

  /// Whether the client asks the server to forget each message (§7.1.1.1).
  public var serverNoContextTakeover = false
  /// Whether the client says that it will forget each message (§7.1.1.2).
  public var clientNoContextTakeover = false
  /// The largest window that the client asks the server to use, 8 to 15; nil when it does not say (§7.1.2.1).
  public var serverMaxWindowBits: UInt8?
  /// The largest window that the client will use; 15 when it names the parameter without a value, nil when it does
  /// not know the parameter, which then must not be answered (§7.1.2.2).
  public var clientMaxWindowBits: UInt8?

  /// An offer without parameters.
  public init() {}

  /// Takes in a parameter; false when the offer must be declined for it.
  mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Bool {
    if name.elementsEqual(Self.serverNoContextTakeover.bytes) {
      guard value == nil, !serverNoContextTakeover else { return false }
      serverNoContextTakeover = true
    } else if name.elementsEqual(Self.clientNoContextTakeover.bytes) {
      guard value == nil, !clientNoContextTakeover else { return false }
      clientNoContextTakeover = true
    } else if name.elementsEqual(Self.serverMaxWindowBits.bytes) {
      guard serverMaxWindowBits == nil, let bits = value.flatMap(Self.windowBits) else {
        return false
      }
      serverMaxWindowBits = bits
    } else if name.elementsEqual(Self.clientMaxWindowBits.bytes) {
      guard clientMaxWindowBits == nil, let bits = value.map(Self.windowBits) ?? 15 else {
        return false
      }
      clientMaxWindowBits = bits
    } else {
      return false
    }
    return true
  }

  /// A decimal number from 8 to 15 without leading zeroes, its digits escaped or not.
  private static func windowBits(_ text: UnsafeRawBufferPointer) -> UInt8? {
    var bits = 0
    for byte in text where byte != 0x5c {
      guard (0x30...0x39).contains(byte), bits > 0 || byte != 0x30, bits < 10 else { return nil }
      bits = bits * 10 + Int(byte - 0x30)
    }
    return (8...15).contains(bits) ? UInt8(bits) : nil
  }
}

extension StaticString {
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}
