internal import Gateway

/// What a name in a manifest or configuration may look like, with the words an error uses for it.
struct Grammar: Sendable, CustomStringConvertible {
  /// A noun phrase that tells an author what would be accepted.
  let description: String
  let accepts: @Sendable (String) -> Bool

  /// A plugin's id; also its folder's name. `-` becomes `_` in its tables' prefix.
  static let pluginID = Grammar(
    description: "a plugin id: a-z, then up to 31 of a-z 0-9 -"
  ) { isName($0, first: isLower, rest: { isLower($0) || isDigit($0) || $0 == dash }, limit: 32) }

  /// A tenant's id: `platform`, an app's id, or a name given in a file.
  static let tenantID = Grammar(
    description: "a tenant id: a-z, then up to 63 of a-z 0-9 - _"
  ) { isName($0, first: isLower, rest: isWord, limit: 64) }

  /// An operation's id, unique in its manifest.
  static let operation = Grammar(
    description: "an operation id: a letter, then up to 63 letters, digits or _"
  ) {
    isName(
      $0, first: isLetter, rest: { isLetter($0) || isDigit($0) || $0 == underscore }, limit: 64)
  }

  /// What narrows a part in a phase to some routes: an operation, or a path with all that is below it.
  static let routeFilter = Grammar(
    description: "an operation id, or a path such as /things, which takes in all below it"
  ) { text in
    guard text.hasPrefix("/") else { return operation.accepts(text) }
    return text.utf8.count <= 512 && (text == "/" || !text.hasSuffix("/"))
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x3f && $0 != 0x23 && $0 != 0x7f }
  }

  /// A handler's name, resolved by the plugin.
  static let handler = Grammar(
    description: "a handler name: a letter or _, then up to 127 letters, digits or _ . -"
  ) {
    isName(
      $0, first: { isLetter($0) || $0 == underscore },
      rest: { isLetter($0) || isDigit($0) || [underscore, dot, dash].contains($0) }, limit: 128)
  }

  /// A name without dots: a channel namespace, a service's key, a secret.
  static let name = Grammar(
    description: "a name: a-z, then up to 63 of a-z 0-9 - _"
  ) { isName($0, first: isLower, rest: isWord, limit: 64) }

  /// Names joined by dots, as for scopes and the types of socket messages.
  static let dottedName = Grammar(
    description: "a name such as notes.write: words of a-z 0-9 - _ joined by dots"
  ) { isDotted($0, from: 1) }

  /// An event's type.
  static let eventType = Grammar(
    description: "an event type such as notes.note.created: two or more words joined by dots"
  ) { isDotted($0, from: 2) }

  /// A query parameter's name.
  static let parameter = Grammar(
    description: "a parameter name: a letter or _, then up to 63 letters, digits or _ . -"
  ) {
    isName(
      $0, first: { isLetter($0) || $0 == underscore },
      rest: { isLetter($0) || isDigit($0) || [underscore, dot, dash].contains($0) }, limit: 64)
  }

  /// An environment variable's name (POSIX.1-2017 §8.1).
  static let environmentName = Grammar(description: "the name of an environment variable") {
    isName(
      $0, first: { isLetter($0) || $0 == underscore },
      rest: { isLetter($0) || isDigit($0) || $0 == underscore }, limit: 128)
  }

  /// A media type without parameters (RFC 9110 §8.3.1), in lower case.
  static let mediaType = Grammar(
    description: "a media type in lower case, such as application/json"
  ) { text in
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    return halves.count == 2
      && halves.allSatisfy { half in
        !half.isEmpty && half.utf8.allSatisfy { isToken($0) && !isUpper($0) }
      }
  }

  /// A subprotocol of a WebSocket (RFC 6455 §4.1: a token).
  static let token = Grammar(
    description: "a token (RFC 9110 §5.6.2)"
  ) { !$0.isEmpty && $0.utf8.count <= 64 && $0.utf8.allSatisfy(isToken) }

  /// A host name in lower case, without a port (RFC 1123 §2.1).
  static let host = Grammar(
    description: "a host name in lower case, without a port"
  ) { text in
    text.utf8.count <= 253
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.utf8.count)
          && label.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == dash }
          && label.utf8.first != dash && label.utf8.last != dash
      }
  }

  /// An origin as browsers write it, or one with `*.` before its host (RFC 6454 §6.2).
  static let origin = Grammar(
    description:
      "an origin as browsers write it: scheme://host, in lower case and punycode, with :port only where that is not the scheme's own, without a path; *. may stand before a host of two labels or more"
  ) { OriginPolicy.isOrigin($0) }

  /// The SHA-256 of something, in lower-case hexadecimal digits.
  static let sha256 = Grammar(description: "64 lower-case hexadecimal digits") { text in
    text.utf8.count == 64
      && text.utf8.allSatisfy {
        isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

extension Grammar {
  static let dash = UInt8(ascii: "-")
  static let underscore = UInt8(ascii: "_")
  static let dot = UInt8(ascii: ".")

  static func isLower(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }
  static func isUpper(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
  static func isLetter(_ byte: UInt8) -> Bool { isLower(byte) || isUpper(byte) }
  static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// A character of a token (RFC 9110 §5.6.2).
  static func isToken(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    isLower(byte) || isDigit(byte) || byte == dash || byte == underscore
  }

  private static func isName(
    _ text: String, first: (UInt8) -> Bool, rest: (UInt8) -> Bool, limit: Int
  ) -> Bool {
    guard let head = text.utf8.first, text.utf8.count <= limit else { return false }
    return first(head) && text.utf8.dropFirst().allSatisfy(rest)
  }

  /// Words joined by dots, each beginning with a letter, at least `minimum` of them.
  private static func isDotted(_ text: String, from minimum: Int) -> Bool {
    let words = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= 128 && words.count >= minimum
      && words.allSatisfy { isName(String($0), first: isLower, rest: isWord, limit: 64) }
  }
}
