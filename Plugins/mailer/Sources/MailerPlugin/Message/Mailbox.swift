/// Addresses that mail goes to, of the plain kind: a dot-atom and a domain in ASCII (RFC 5321 §4.1.2 without quoted names
/// and address literals).
enum Mailbox {
  static let limit = 254

  /// Whether a text is such an address, and nothing that could end a header field or a command.
  static func isAddress(_ text: String) -> Bool {
    guard text.utf8.count <= limit else { return false }
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    guard halves.count == 2, (1...64).contains(halves[0].utf8.count) else { return false }
    let isName = halves[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.utf8.allSatisfy(isAtomText)
    }
    let isDomain = halves[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      (1...63).contains($0.utf8.count) && !$0.hasPrefix("-") && !$0.hasSuffix("-")
        && $0.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
    return isName && isDomain
  }

  /// What stands behind the @.
  static func domain(of address: String) -> Substring {
    address.split(separator: "@").last ?? "localhost"
  }

  /// RFC 5322 §3.2.3
  static func isAtomText(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
