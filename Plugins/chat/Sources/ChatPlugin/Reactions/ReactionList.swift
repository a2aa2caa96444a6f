internal import PluginKit

/// `GET /v1/messages/{id}/reactions?type=&after=&limit=`: who has reacted, in the order of the reactions and the users.
extension ChatShard {
  func listReactions(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let limit = try request.limit()
    let (type, after) = (
      request.query("type"), try request.query("after").map { try PairCursor($0) }
    )
    let found = try await find(message: id, for: AppActor(request.principal))
    let rows: [Reaction] = try await context.store.read(
      """
      SELECT message AS message_id, \(found.message.channel) AS channel, user_id, reaction, created_at
      FROM chat_reactions WHERE message = \(id) AND (\(type == nil) = 1 OR reaction = \(type))
        AND (reaction, user_id) > (\(after?.first ?? ""), \(after?.second ?? ""))
      ORDER BY reaction, user_id LIMIT \(limit + 1)
      """
    ).decode()
    let page = Array(rows.prefix(limit))
    let next = rows.count > limit ? page.last : nil
    return try .json(
      Page(
        data: page,
        next: next.map { PairCursor($0.reaction, $0.userID).text }))
  }
}
