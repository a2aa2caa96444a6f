/// The name by which an app knows one of its users; the `sub` of the user's tokens.
enum UserID {
  static let limit = 128

  /// Why a text is no such name; nil when it is one.
  static func refusal(of text: String) -> String? {
    let scalars = text.unicodeScalars
    guard !scalars.isEmpty, scalars.count <= limit else {
      return "A user's id has 1 to \(limit) characters."
    }
    guard
      scalars.allSatisfy({
        !$0.properties.isWhitespace && $0.properties.generalCategory != .control
      })
    else { return "A user's id has no spaces and no control characters." }
    return nil
  }
}
