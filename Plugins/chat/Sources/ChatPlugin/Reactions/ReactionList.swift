internal import PluginKit

/// `GET /v1/messages/{id}/reactions?type=&after=&limit=`: who has reacted, in the order of the reactions and the users.
extension ChatShard {
  func listReactions(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let limit = try request.limit()
    let (type, after) = (
      request.query("type"), try request.query("after").map { try ReactionCursor($0) }
    )
    let found = try await find(message: id, for: Actor(request.principal))
    let rows: [Reaction] = try await context.store.read(
      """
      SELECT message AS message_id, \(found.message.channel) AS channel, user_id, reaction, created_at
      FROM chat_reactions WHERE message = \(id) AND (\(type == nil) = 1 OR reaction = \(type))
        AND (reaction, user_id) > (\(after?.reaction ?? ""), \(after?.userID ?? ""))
      ORDER BY reaction, user_id LIMIT \(limit + 1)
      """
    ).decode()
    let page = Array(rows.prefix(limit))
    let next = rows.count > limit ? page.last : nil
    return try .json(
      Page(
        data: page,
        next: next.map { ReactionCursor(reaction: $0.reaction, userID: $0.userID).text }))
  }
}

/// Where a list of reactions goes on. Both parts may have any character, so they are written as the numbers of their bytes.
struct ReactionCursor: Equatable {
  let reaction: String
  let userID: String

  init(reaction: String, userID: String) {
    self.reaction = reaction
    self.userID = userID
  }

  /// - Throws: `Problem` 400 when it is not what `next` said.
  init(_ text: String) throws {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let reaction = Self.decoded(parts[0]),
      let userID = Self.decoded(parts[1])
    else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    self.init(reaction: reaction, userID: userID)
  }

  /// As `next`.
  var text: String { "\(Self.encoded(reaction))-\(Self.encoded(userID))" }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func decoded(_ text: Substring) -> String? {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
    let bytes = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
