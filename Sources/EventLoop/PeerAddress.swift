internal import Glibc

/// The address and port of a peer, in 18 bytes; IPv4 is held in its IPv6-mapped form (RFC 4291 §2.5.5.2).
@frozen
public struct PeerAddress: Hashable, Sendable {
  /// The first and the last eight bytes of the IPv6 address, in the memory order of the wire.
  public let high: UInt64
  /// The last eight bytes; an IPv4 address is `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
  public let low: UInt64
  /// In host order.
  public let port: UInt16

  /// The unspecified address `::` and port 0: what a stream without a known peer has.
  public static let unknown = PeerAddress(high: 0, low: 0, port: 0)

  /// - Parameters:
  ///   - high: the first eight bytes of the address, in the memory order of the wire.
  ///   - low: the last eight bytes, likewise.
  ///   - port: in host order; 0 when there is none.
  @inlinable
  public init(high: UInt64, low: UInt64, port: UInt16) {
    self.high = high
    self.low = low
    self.port = port
  }

  init(_ storage: UnsafePointer<sockaddr_storage>) {
    let raw = UnsafeRawPointer(storage)
    switch Int32(storage.pointee.ss_family) {
    case AF_INET:
      let address = raw.load(as: sockaddr_in.self)
      high = 0
      let mapped: (UInt32, UInt32) = (UInt32(bigEndian: 0xffff), address.sin_addr.s_addr)
      low = unsafeBitCast(mapped, to: UInt64.self)
      port = UInt16(bigEndian: address.sin_port)
    case AF_INET6:
      let address = raw.load(as: sockaddr_in6.self)
      (high, low) = unsafeBitCast(address.sin6_addr, to: (UInt64, UInt64).self)
      port = UInt16(bigEndian: address.sin6_port)
    default:
      self = .unknown
    }
  }

  /// Whether the peer speaks IPv4, be it through an IPv6 socket.
  public var isIPv4: Bool {
    high == 0 && unsafeBitCast(low, to: (UInt32, UInt32).self).0 == UInt32(bigEndian: 0xffff)
  }

  /// Bytes that the longest text takes.
  public static var longestText: Int { 46 }

  /// Writes the address without the port, like `192.0.2.7` or `2001:db8::1`; allocates nothing.
  ///
  /// - Parameter target: at least ``longestText`` bytes.
  /// - Returns: the bytes written, without a terminator.
  public func writeText(to target: UnsafeMutablePointer<UInt8>) -> Int {
    let text = UnsafeMutableRawPointer(target).assumingMemoryBound(to: CChar.self)
    var words = (high, low)
    withUnsafeBytes(of: &words) { bytes in
      let base = bytes.baseAddress.unsafelyUnwrapped
      let size = socklen_t(Self.longestText)
      if isIPv4 {
        inet_ntop(AF_INET, base + 12, text, size)
      } else {
        inet_ntop(AF_INET6, base, text, size)
      }
    }
    return strlen(text)
  }
}

extension PeerAddress: CustomStringConvertible {
  /// The address and the port, like `192.0.2.7:443` or `[2001:db8::1]:443`.
  public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }

  /// The address alone.
  public var host: String {
    String(unsafeUninitializedCapacity: Self.longestText) { buffer in
      writeText(to: buffer.baseAddress.unsafelyUnwrapped)
    }
  }
}
