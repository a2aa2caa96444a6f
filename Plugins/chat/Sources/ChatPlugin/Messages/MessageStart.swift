internal import PluginKit

/// Where a client wants a list of messages to begin.
enum MessageStart: Equatable {
  case cursor(MessageCursor)
  /// A message's id.
  case before(String)
  case after(String)
  /// With those before it and those after it.
  case around(String)

  /// The message that it names, and the parameter that names it.
  var anchor: (id: String, parameter: String)? {
    switch self {
    case .cursor: nil
    case .before(let id): (id, "before")
    case .after(let id): (id, "after")
    case .around(let id): (id, "around")
    }
  }

  /// - Throws: `Problem` 400 when two are given, or one is neither a message's id nor a cursor.
  init(before: String?, after: String?, around: String? = nil) throws {
    switch (before, after, around) {
    case (nil, nil, nil): self = .cursor(.newest)
    case (let text?, nil, nil): self = try Self.read(text, "before", MessageStart.before)
    case (nil, let text?, nil): self = try Self.read(text, "after", MessageStart.after)
    case (nil, nil, let text?):
      guard Identifier.isValid(text) else {
        throw Problem.invalid(pointer: "/query/around", "around is a message's id.")
      }
      self = .around(text)
    default:
      throw Problem.invalid(
        pointer: before == nil ? "/query/after" : "/query/before",
        "Give one of before, after and around.")
    }
  }

  /// The start that a request's query names.
  init(_ request: Request) throws {
    try self.init(
      before: request.query("before"), after: request.query("after"),
      around: request.query("around"))
  }

  private static func read(
    _ text: String, _ name: String, _ start: (String) -> MessageStart
  ) throws -> MessageStart {
    if let cursor = MessageCursor(text) { return .cursor(cursor) }
    guard Identifier.isValid(text) else {
      throw Problem.invalid(
        pointer: "/query/\(name)",
        "\(name) is a message's id, or what \"next\" of the page before said.")
    }
    return start(text)
  }
}
