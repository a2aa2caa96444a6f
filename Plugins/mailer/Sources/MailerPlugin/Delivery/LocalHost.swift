internal import CCurl
internal import Glibc

/// Hosts that are seen to be no server of the internet at large without asking the DNS. What names resolve to is looked at with each attempt, by
/// ``SMTPDriver``.
enum LocalHost {
  /// Whether a host, as it stands in the settings, is an address of a private network, of this machine, or the name of one.
  static func isOne(_ host: String) -> Bool {
    let name = plain(host)
    if names.contains(name) || name.hasSuffix(".localhost") { return true }
    if name.hasPrefix("["), name.hasSuffix("]") {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      guard inet_pton(AF_INET6, String(name.dropFirst().dropLast()), &address.sin6_addr) == 1
      else { return false }
      return !isPublic(&address)
    }
    // In all the forms that a resolver takes for an address: 127.0.0.1, 127.1, 0x7f.1, 2130706433.
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    guard inet_aton(name, &address.sin_addr) != 0 else { return false }
    return !isPublic(&address)
  }

  /// Whether a host is this machine, by its usual names and addresses.
  static func isThisMachine(_ host: String) -> Bool {
    ["localhost", "127.0.0.1", "[::1]"].contains(plain(host))
  }

  /// Names that machines have for themselves by custom.
  private static let names: Set<String> = [
    "localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost",
    "ip6-loopback",
  ]

  /// A host as it is compared: a dot at the end says that a name is whole (RFC 1034 §3.1), and is nothing of the name, nor of an
  /// address.
  private static func plain(_ host: String) -> String {
    let name = host.lowercased()
    return name.hasSuffix(".") ? String(name.dropLast()) : name
  }

  private static func isPublic<Address>(_ address: inout Address) -> Bool {
    withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { ccurl_is_public($0) != 0 }
    }
  }
}
