internal import PluginKit

/// A channel's name: up to 255 bytes of UTF-8 without control characters, not beginning with "@".
///
/// What stands before the first colon, without a leading "$", is its namespace: a-z, then up to 63 of a-z 0-9 - _.
/// A name without a colon, and one that begins with "#", is in the namespace "". A name that begins with "$" asks for a
/// token of its own.
///
/// A name that begins with "#" is the own channel of the one user whose id is all the rest, whatever stands in it. Else
/// behind the first "#" stand, separated by commas, the only users who may listen. Names and ids are the same only byte
/// for byte: two spellings that look alike may be two users.
struct ChannelName: Equatable, Sendable {
  static let maximumBytes = 255

  let text: String
  /// It names the authority; "" for a channel without one.
  let namespace: String

  /// Why a text is no channel name, in words for a client.
  struct Malformed: Error, Equatable {
    let message: String
  }

  init(_ text: String) throws(Malformed) {
    guard !text.isEmpty, text.utf8.count <= Self.maximumBytes else {
      throw Malformed(message: "A channel's name has 1 to \(Self.maximumBytes) bytes.")
    }
    guard !text.unicodeScalars.contains(where: \.isControl) else {
      throw Malformed(message: "A channel's name has no control characters.")
    }
    guard text.utf8.first != UInt8(ascii: "@") else {
      throw Malformed(message: "A channel's name does not begin with \"@\".")
    }
    self.text = text
    // By bytes: a combining mark behind it does not make another character of a "#" or a colon.
    let rest = text.utf8.first == UInt8(ascii: "$") ? text.utf8.dropFirst() : text.utf8[...]
    let isLimited = rest.first == UInt8(ascii: "#")
    guard !rest.dropFirst(isLimited ? 1 : 0).isEmpty else {
      throw Malformed(message: "\"\(text)\" is not a channel: there is nothing behind its mark.")
    }
    guard !isLimited, let colon = rest.firstIndex(of: UInt8(ascii: ":")) else {
      namespace = ""
      return
    }
    guard rest.index(after: colon) != rest.endIndex else {
      throw Malformed(message: "\"\(text)\" is not a channel: write namespace:name.")
    }
    let namespace = Substring(rest[..<colon])
    guard Self.isNamespace(namespace) else {
      throw Malformed(
        message: "\"\(namespace)\" is not a namespace: a-z, then up to 63 of a-z 0-9 - _.")
    }
    self.namespace = String(namespace)
  }

  /// The channel of a user alone.
  static func personal(of user: String) throws(Malformed) -> ChannelName {
    try ChannelName("#\(user)")
  }

  /// Whether it takes a token of its own to listen.
  var needsToken: Bool { text.utf8.first == UInt8(ascii: "$") }

  /// The only users who may listen; nil when the name says nothing of users.
  var users: [Substring]? {
    // By bytes: a combining mark behind it does not make another character of a "#" or a comma.
    let bytes = text.utf8
    guard let mark = bytes.firstIndex(of: UInt8(ascii: "#")) else { return nil }
    let rest = bytes[bytes.index(after: mark)...]
    if mark == bytes.startIndex { return [Substring(rest)] }
    return rest.split(separator: UInt8(ascii: ",")).map { Substring($0) }
  }

  /// Whether the name leaves a user out.
  func excludes(_ user: String) -> Bool {
    guard let users else { return false }
    return !users.contains(where: { $0.isExactly(user) })
  }

  static func == (a: ChannelName, b: ChannelName) -> Bool { a.text.isExactly(b.text) }

  static func isNamespace(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 64 else { return false }
    return isLower(first)
      && text.utf8.allSatisfy {
        isLower($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
      }
  }

  private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
}

extension ChannelName {
  /// The channels of `?channels=a,b`, in their order, each once.
  ///
  /// - Parameter limit: the most that are taken.
  static func list(_ text: String?, limit: Int) throws(Malformed) -> [ChannelName] {
    guard let text, !text.isEmpty else {
      throw Malformed(message: "Name the channels to listen to, separated by commas.")
    }
    var names: [ChannelName] = []
    var seen: Set<ExactText> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let name = try ChannelName(String(part))
      guard seen.insert(ExactText(name.text)).inserted else { continue }
      guard names.count < limit else {
        throw Malformed(message: "One connection listens to at most \(limit) channels.")
      }
      names.append(name)
    }
    return names
  }
}

extension Unicode.Scalar {
  /// C0, DEL and C1.
  fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
