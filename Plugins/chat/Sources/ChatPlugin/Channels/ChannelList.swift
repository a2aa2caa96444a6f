internal import PluginKit

/// `GET /v1/channels?member=&limit=&after=`: channels in the order of type and id.
extension ChatShard {
  func listChannels(_ request: Request) async throws -> Response {
    let limit = try request.limit()
    let after = try request.query("after").map(Self.cursor) ?? ("", "")
    let member = try Self.member(request.query("member"), Actor(request.principal))
    var statement: SQL = """
      SELECT \(raw: ChannelRecord.columns) FROM chat_channels c
      WHERE (c.type, c.id) > (\(after.0), \(after.1)) AND c.deleted_at IS NULL
      ORDER BY c.type, c.id LIMIT \(limit + 1)
      """
    if let member {
      statement = """
        SELECT \(raw: ChannelRecord.columns)
        FROM chat_members o JOIN chat_channels c ON c.type = o.type AND c.id = o.channel
        WHERE o.user_id = \(member) AND (o.type, o.channel) > (\(after.0), \(after.1))
          AND c.deleted_at IS NULL
        ORDER BY o.type, o.channel LIMIT \(limit + 1)
        """
    }
    let channels: [ChannelRecord] = try await context.store.read(statement).decode()
    let page = Array(channels.prefix(limit))
    return try .json(
      Page(data: page, next: channels.count > limit ? page.last?.channel : nil))
  }

  /// Whose channels are listed; nil is everybody's. A user sees his own alone.
  private static func member(_ named: String?, _ actor: Actor) throws -> String? {
    guard let user = actor.user else { return named }
    guard named == nil || named == user else {
      throw Problem.forbidden("The token is of user \"\(user)\", so member cannot be another.")
    }
    return user
  }

  /// The type and id that a page ended with.
  static func cursor(_ text: String) throws -> (String, String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    return (String(parts[0]), String(parts[1]))
  }
}
