internal import PluginKit

/// What becomes of mentions of an erased user.
extension ChatShard {
  /// Others' messages do not mention him any more; what they say stays theirs.
  func eraseMentions(of user: String) async throws -> Slice {
    let found = try placed(
      try await context.store.read(
        """
        SELECT \(raw: Message.columns), m.type, m.channel AS channel_id, m.deleted_at
        FROM chat_mentions x JOIN chat_messages m ON m.id = x.message
        WHERE x.user_id = \(user) ORDER BY x.created_at, x.message LIMIT \(tasks.rows)
        """))
    var slice = Slice()
    // One whose message is not there any more.
    guard !found.isEmpty else {
      slice.batch.add("DELETE FROM chat_mentions WHERE user_id = \(user)")
      slice.isLast = true
      return slice
    }
    for each in found {
      var message = each.message
      let rest = (message.mentions ?? []).filter { !$0.isExactly(user) }
      message.mentions = rest.isEmpty ? nil : rest
      slice.batch.add(
        SQL(
          """
          UPDATE chat_messages SET mentions = \(try message.mentionsJSON)
          WHERE id = \(message.id)
            AND coalesce(mentions, '') = \(try each.message.mentionsJSON?.text ?? "")
          """
        ).expect(exactly: 1))
      if each.isRecent, each.deletedAt == nil {
        slice.batch.emit(
          try Emit(
            "chat.message.updated", channel: each.address.realTimeName, replacing: message.id,
            data: message.published))
      }
    }
    slice.batch.add(
      """
      DELETE FROM chat_mentions
      WHERE user_id = \(user) AND message IN (\(each: found.map(\.message.id)))
      """)
    return slice
  }

  /// Likewise in a table with a list of mentions that nothing else is found by.
  func eraseMentions(of user: String, in table: String, by key: [String]) async throws -> Slice {
    let name = try RawJSON(encoding: [user]).text.dropFirst().dropLast()
    let rows = try await context.store.read(
      """
      SELECT \(raw: key.joined(separator: ", ")), mentions FROM \(raw: table)
      WHERE instr(coalesce(mentions, ''), \(String(name))) > 0 LIMIT \(tasks.rows)
      """)
    guard !rows.isEmpty else { return .last }
    var slice = Slice()
    for row in rows {
      let all = try row["mentions", RawJSON.self].decode([String].self)
      let rest = all.filter { !$0.isExactly(user) }
      let left = try rest.isEmpty ? nil : RawJSON(encoding: rest)
      var condition: Fragment = "1 = 1"
      for column in key {
        condition = "\(condition) AND \(raw: column) = \(value: row[column] ?? .null)"
      }
      slice.batch.add(
        """
        UPDATE \(raw: table) SET mentions = \(left)
        WHERE \(condition)
        """)
    }
    return slice
  }

  /// Likewise in held messages of others, which stand as they were answered.
  func eraseMentionsHeld(of user: String, after position: String) async throws -> Slice {
    let name = try RawJSON(encoding: [user]).text.dropFirst().dropLast()
    let rows = try await context.store.read(
      """
      SELECT id, message FROM chat_held_messages
      WHERE id > \(position) AND user_id <> \(user) AND instr(message, \(String(name))) > 0
      ORDER BY id LIMIT \(tasks.rows)
      """)
    guard !rows.isEmpty else { return .last }
    var slice = Slice()
    for row in rows {
      let id = try row["id", String.self]
      slice.position = id
      var message = try row["message", RawJSON.self].decode(Message.self)
      let rest = (message.mentions ?? []).filter { !$0.isExactly(user) }
      guard rest.count < message.mentions?.count ?? 0 else { continue }
      message.mentions = rest.isEmpty ? nil : rest
      slice.batch.add(
        """
        UPDATE chat_held_messages SET message = \(try RawJSON(encoding: message)) WHERE id = \(id)
        """)
    }
    return slice
  }
}
