/// Which certificate is shown for which host name. Immutable.
struct NameTable: Sendable {
  private var exact: [String: Int] = [:]
  /// By what follows the star and its dot.
  private var wildcards: [String: Int] = [:]

  /// Of several certificates for one name the first counts.
  init(_ names: [[String]]) {
    for (index, names) in names.enumerated() {
      for name in names {
        if name.hasPrefix("*.") {
          wildcards[String(name.dropFirst(2))] = wildcards[String(name.dropFirst(2))] ?? index
        } else {
          exact[name] = exact[name] ?? index
        }
      }
    }
  }

  /// The position of the certificate for a host; an exact name is stronger than a star, which stands for one label
  /// (RFC 6125 §6.4.3).
  func position(of host: String) -> Int? {
    var host = host.lowercased()
    if host.hasSuffix(".") { host.removeLast() }
    if let position = exact[host] { return position }
    guard let dot = host.firstIndex(of: "."), dot != host.startIndex else { return nil }
    return wildcards[String(host[host.index(after: dot)...])]
  }
}
