internal import PluginKit

/// `GET /v1/reminders?due=&user_id=&limit=&after=`: of messages that the user may read, the latest first.
extension ChatShard {
  func listReminders(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let after = try request.query("after").map { try TimedCursor($0) }
    let isDue = request.query("due").map { $0 == "true" }
    let which: Fragment = """
      r.user_id = \(user) AND \(readable("r", by: user))
        AND r.type IN (\(each: types.names(with: .reminders)))
        AND (\(isDue == nil) = 1
          OR CASE WHEN r.reminded_at IS NULL THEN 0 ELSE 1 END = \(isDue ?? false))
        AND (r.created_at, r.message) < (\(after?.at ?? .max), \(after?.id ?? ""))
      ORDER BY r.created_at DESC, r.message DESC LIMIT \(limit + 1)
      """
    let scope = MessageScope(
      ids: "SELECT message FROM (SELECT r.message FROM chat_reminders r WHERE \(which)) AS listed",
      viewer: user)
    let results = try await context.store.read(
      ["SELECT \(raw: Reminder.columns) FROM chat_reminders r WHERE \(which)"] + scope.statements)
    let messages = Dictionary(
      uniqueKeysWithValues: try MessageScope.messages(in: results[1...]).map {
        ($0.message.id, $0.message)
      })
    let found = try results[0].decode(Reminder.self).map { reminder in
      var listed = reminder
      listed.message = messages[reminder.messageID]
      return listed
    }
    return try .json(
      Page(found, limit: limit) {
        TimedCursor(at: $0.createdAt.unixMilliseconds, id: $0.messageID).text
      })
  }
}
