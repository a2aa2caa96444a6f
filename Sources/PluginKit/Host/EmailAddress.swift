/// An e-mail address that somebody has given, in the form in which it is kept and compared: lower case, and of the plain kind
/// (RFC 5321 §4.1.2 without quoted names, comments and address literals).
public struct EmailAddress: Sendable, Hashable {
  /// In lower case.
  public let text: String

  /// - Throws: `Problem` 400 that points at `/email`.
  public init(_ text: String) throws {
    if let refusal = EmailAddress.refusal(of: text) {
      throw Problem.invalid(pointer: "/email", refusal)
    }
    self.text = EmailAddress.normalized(text)
  }

  /// The form in which an address is looked for, be it one or not.
  public static func normalized(_ text: String) -> String { text.lowercased() }

  private static func refusal(of text: String) -> String? {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      return "An e-mail address is written in ASCII, without spaces."
    }
    guard text.utf8.count <= 254 else {
      return "An e-mail address has at most 254 characters (RFC 5321 §4.5.3.1.3)."
    }
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    guard halves.count == 2 else {
      return "An e-mail address has one @, as in name@example.com."
    }
    guard isName(halves[0]) else {
      return "What stands before the @ is not the name of a mailbox."
    }
    guard isDomain(halves[1]) else {
      return "What stands after the @ is not a domain such as example.com."
    }
    return nil
  }

  /// A dot-atom (RFC 5322 §3.2.3).
  private static func isName(_ text: Substring) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
        !atom.isEmpty
          && atom.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-/=?^_`{|}~".utf8.contains($0) }
      }
  }

  /// Two labels or more (RFC 1123 §2.1), the last of which is no number.
  private static func isDomain(_ text: Substring) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    let areLabels = labels.allSatisfy { label in
      (1...63).contains(label.utf8.count)
        && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        && !label.hasPrefix("-") && !label.hasSuffix("-")
    }
    return labels.count >= 2 && areLabels && !(labels.last?.allSatisfy(\.isNumber) ?? true)
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
