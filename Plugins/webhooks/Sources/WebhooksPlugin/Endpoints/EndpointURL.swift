/// The URL of an endpoint, as far as it can be judged before anybody goes there: addresses are looked at when they are resolved.
enum EndpointURL {
  /// What is wrong with it; nil: nothing.
  static func fault(_ text: String, schemes: [String]) -> String? {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }) else {
      return "has a character that a URL cannot have"
    }
    guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0 + "://") }) else {
      return "begins with none of \(schemes.map { $0 + "://" }.joined(separator: ", "))"
    }
    let rest = text.dropFirst(scheme.count + 3)
    guard !rest.contains("#") else { return "has a fragment" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.contains("@") else { return "has a user name: send one in headers" }
    let isAddress = authority.hasPrefix("[")
    let host = isAddress ? authority.prefix { $0 != "]" } : authority.prefix { $0 != ":" }
    guard host.count > (isAddress ? 1 : 0) else { return "has no host" }
    let port = authority.dropFirst(host.count + (isAddress ? 1 : 0))
    guard port.isEmpty || (port.hasPrefix(":") && UInt16(port.dropFirst()) ?? 0 > 0) else {
      return "has a port that is none"
    }
    return nil
  }
}
