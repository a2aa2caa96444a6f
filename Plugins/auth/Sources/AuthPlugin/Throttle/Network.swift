internal import Glibc

/// Where a request comes from, as far as rates are concerned.
enum Network {
  /// An IPv4 address as it is; of an IPv6 address its first 64 bits, which one subscriber has to himself.
  static func key(of address: String) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    guard inet_pton(AF_INET6, address, &bytes) == 1 else { return address }
    // An IPv4 address in IPv6's clothes (RFC 4291 §2.5.5.2).
    if bytes[..<10].allSatisfy({ $0 == 0 }) && bytes[10] == 0xFF && bytes[11] == 0xFF {
      return bytes[12...].map(String.init).joined(separator: ".")
    }
    return Array(bytes[..<8]).hexadecimal + "/64"
  }
}
