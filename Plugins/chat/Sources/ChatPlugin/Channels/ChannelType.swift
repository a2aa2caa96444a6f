internal import PluginKit

/// What channels of a type have in common.
struct ChannelType: Decodable, Sendable, Equatable {
  /// Whether any user of the app may read and write, and a channel comes to be with its first message.
  /// Otherwise it has to be made, and its members alone may read and write.
  let isOpen: Bool

  private enum CodingKeys: String, CodingKey {
    case isOpen = "open"
  }

  init(isOpen: Bool) {
    self.isOpen = isOpen
  }

  init(from decoder: any Decoder) throws {
    let type = try decoder.container(keyedBy: CodingKeys.self)
    isOpen = try type.decodeIfPresent(Bool.self, forKey: .isOpen) ?? false
  }
}

/// The types of channel that a tenant has.
struct ChannelTypes: Sendable {
  private let byName: [String: ChannelType]

  /// - Throws: `ConfigurationError` when a name is none.
  init(_ types: [String: ChannelType]) throws {
    for name in types.keys.sorted() where !Self.isName(name) {
      throw ConfigurationError(
        pointer: "/types/\(name)",
        message: "\"\(name)\" is not a type's name: a-z, then up to 31 of a-z 0-9 - _.")
    }
    byName = types
  }

  /// - Throws: `Problem` 404 that lists the types there are.
  subscript(name: String) -> ChannelType {
    get throws {
      if let type = byName[name] { return type }
      let known = byName.keys.sorted().joined(separator: ", ")
      throw Problem.notFound(
        known.isEmpty
          ? "This app has no types of channel."
          : "There is no type of channel called \"\(name)\". There are: \(known).")
    }
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
    return text.utf8.count <= 32
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
      }
  }
}
