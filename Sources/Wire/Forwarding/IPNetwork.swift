/// The addresses that begin alike: a network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3), or one address.
///
/// A network is of IPv4 or of IPv6: `::/8` has no IPv4 address in it.
public struct IPNetwork: Hashable, Sendable {
  /// Its first address.
  public let address: IPAddress
  /// The bits that all its addresses have in common.
  private let mask: UInt128

  /// Why a text is no network, in words for whoever wrote it.
  public struct Malformed: Error, Equatable, CustomStringConvertible {
    public let description: String

    /// - Parameter description: names the text.
    public init(description: String) { self.description = description }
  }

  /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone, which is a network of one.
  ///
  /// A network of all addresses there are is refused, and so is one that has bits set behind its prefix: either is hardly
  /// meant.
  ///
  /// - Throws: ``Malformed``.
  public init(_ text: String) throws(Malformed) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    var host = String(parts[0])
    guard let address = host.withUTF8({ IPAddress(UnsafeRawBufferPointer($0)) }) else {
      throw Malformed(
        description:
          "\"\(text)\" is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32")
    }
    // An IPv4 network may be written in mapped form, whose prefix counts all 128 bits.
    let isDotted = !host.contains(":")
    let most = isDotted ? 32 : 128
    var prefix = most
    if parts.count == 2 {
      guard parts[1].utf8.allSatisfy({ $0 &- 0x30 < 10 }), let number = Int(parts[1]),
        number <= most
      else {
        throw Malformed(
          description: "\"\(text)\": \"\(parts[1])\" is not a prefix length, 1 to \(most)")
      }
      prefix = number
    }
    let length = prefix + 128 - most
    guard address.isIPv4 ? length != 96 : length != 0 else {
      throw Malformed(description: "\"\(text)\" is every address there is")
    }
    guard address.value << length == 0 else {
      throw Malformed(
        description: "\"\(text)\" has bits set behind the first \(prefix), so it is no network")
    }
    self.address = address
    mask = UInt128.max << (128 - length)
  }

  /// Whether an address is in it.
  public func contains(_ other: IPAddress) -> Bool {
    (other.value ^ address.value) & mask == 0 && other.isIPv4 == address.isIPv4
  }
}
