/// Where a channel is: `messaging:general` in messages, `/messaging/general` in paths, and
/// `chat:messaging:general` among the real-time channels.
struct ChannelAddress: Hashable, Sendable, CustomStringConvertible {
  static let namespace = "chat"

  let type: String
  /// Up to 64 of A-Z a-z 0-9 _ -.
  let id: String

  /// nil when `id` is none.
  init?(type: String, id: String) {
    guard Identifier.isValid(id) else { return nil }
    self.type = type
    self.id = id
  }

  /// The channel behind a real-time channel; nil when its name is not one of chat's.
  init?(realTimeName name: String) {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == Self.namespace else { return nil }
    self.init(type: String(parts[1]), id: String(parts[2]))
  }

  var description: String { "\(type):\(id)" }
  var realTimeName: String { "\(Self.namespace):\(type):\(id)" }
}

/// Ids that clients may choose, of channels and messages: 1 to 64 of A-Z a-z 0-9 _ -.
enum Identifier {
  static let words = "1 to 64 of A-Z a-z 0-9 _ -"

  static func isValid(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || $0 == 0x2D || $0 == 0x5F
      }
  }
}
