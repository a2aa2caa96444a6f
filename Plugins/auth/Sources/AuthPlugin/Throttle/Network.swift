internal import Glibc
internal import PluginCrypto

/// Where a request comes from, as far as rates are concerned.
enum Network {
  /// How many times what one subscriber may is given to 48 bits of IPv6, which whoever asks for them gets in many places.
  static let siteShare: Int64 = 4

  /// The networks that an address is in, the narrowest first, each with how many times what one subscriber may it may.
  static func all(of address: String) -> [(key: String, share: Int64)] {
    let own = key(of: address)
    guard own.hasSuffix("/64") else { return [(own, 1)] }
    return [(own, 1), (String(own.prefix(12)) + "/48", siteShare)]
  }

  /// The widest network that an address is in: what one who wants many addresses can have for little.
  static func site(of address: String) -> String {
    all(of: address).last?.key ?? address
  }

  /// What names the narrowest network of an address to nobody who reads it.
  static func digest(of address: String) -> String {
    Digest.sha256(Array(key(of: address).utf8)).hexadecimal
  }

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
