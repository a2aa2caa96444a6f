internal import CCurl
internal import Glibc
internal import Wire

/// Where the gateway goes: to the internet at large, and to what the operator allows.
///
/// It is asked with each address that a connection is made to, after the name was resolved, so that no name and no spelling of an
/// address leads elsewhere.
struct Reach {
  let allowed: [IPNetwork]

  /// Whether a connection to the address may be made.
  func includes(_ address: UnsafePointer<sockaddr>) -> Bool {
    if ccurl_is_public(address) != 0 { return true }
    guard let known = Reach.address(address) else { return false }
    return allowed.contains { $0.contains(known) }
  }

  /// The address without its port; nil for one that is not of IP.
  private static func address(_ address: UnsafePointer<sockaddr>) -> IPAddress? {
    let raw = UnsafeRawPointer(address)
    switch Int32(address.pointee.sa_family) {
    case AF_INET:
      let v4 = raw.loadUnaligned(as: sockaddr_in.self)
      return IPAddress(value: 0xffff << 32 | UInt128(UInt32(bigEndian: v4.sin_addr.s_addr)))
    case AF_INET6:
      let v6 = raw.loadUnaligned(as: sockaddr_in6.self)
      return withUnsafeBytes(of: v6.sin6_addr) { bytes in
        IPAddress(value: UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self)))
      }
    default: return nil
    }
  }

  /// The address as text, for people.
  static func text(_ address: UnsafePointer<sockaddr>) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let raw = UnsafeRawPointer(address)
    if Int32(address.pointee.sa_family) == AF_INET6 {
      var v6 = raw.loadUnaligned(as: sockaddr_in6.self)
      inet_ntop(AF_INET6, &v6.sin6_addr, &text, socklen_t(text.count))
    } else {
      var v4 = raw.loadUnaligned(as: sockaddr_in.self)
      inet_ntop(AF_INET, &v4.sin_addr, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
