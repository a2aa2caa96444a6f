internal import PluginKit

/// What becomes of an erased user's uploads, and of what messages say of them.
extension ChatShard {
  /// How many links go together at most: each version of their messages is a statement, and a batch has 256.
  private static let links = 200 / EarlierVersion.limit

  /// All that messages have linked to of his goes, whoever has linked to it. The messages keep what was said, and no name of a file.
  func eraseUploads(of user: String) async throws -> Slice {
    let rows = try await context.store.read(
      """
      SELECT message, upload FROM chat_uploads WHERE user_id = \(user)
      ORDER BY message, upload LIMIT \(min(tasks.rows, Self.links))
      """)
    var slice = Slice()
    slice.afterwards = [{ [self] in endUploads() }]
    guard !rows.isEmpty else {
      // The last of them keep his id until they went.
      slice.isLast = try await endAllUploads(of: user)
      return slice
    }
    let uploads = try Set(rows.map { try $0["upload", String.self] })
    let messages = try Set(rows.map { try $0["message", String.self] }).sorted()
    try await forget(uploads, in: messages, &slice)
    try await forgetInVersions(uploads, of: messages, &slice)
    try await forgetHeld(uploads, in: messages, &slice)
    slice.batch.add(
      """
      INSERT INTO chat_upload_ends (upload, user_id)
      SELECT DISTINCT u.upload, u.user_id FROM chat_uploads u
      WHERE u.upload IN (\(each: uploads.sorted()))
      ON CONFLICT (upload) DO NOTHING
      """)
    slice.batch.add(
      """
      DELETE FROM chat_uploads WHERE (message, upload) IN (
        VALUES \(Self.values(of: ["message", "upload"], in: rows)))
      """)
    return slice
  }

  private func forget(
    _ uploads: Set<String>, in messages: [String], _ slice: inout Slice
  ) async throws {
    let found = try placed(
      try await context.store.read(
        """
        SELECT \(raw: Message.columns), m.type, m.channel AS channel_id, m.deleted_at
        FROM chat_messages m WHERE m.id IN (\(each: messages))
        """))
    for each in found {
      // A change that is under way may have read what is forgotten here: one of both is done anew.
      var message = each.message
      if let left = Self.attachments(message.attachments, forgetting: uploads) {
        message.attachments = left
      }
      slice.batch.add(
        SQL(
          """
          UPDATE chat_messages SET attachments = \(message.attachments)
          WHERE id = \(message.id) AND coalesce(updated_at, 0) = \(message.updatedAt?.unixMilliseconds ?? 0)
            AND coalesce(attachments, '') = \(each.message.attachments?.text ?? "")
          """
        ).expect(exactly: 1))
      guard message.attachments != each.message.attachments, each.isRecent, each.deletedAt == nil
      else { continue }
      slice.batch.emit(
        try Emit(
          "chat.message.updated", channel: each.address.realTimeName, replacing: message.id,
          data: message.published))
    }
  }

  private func forgetInVersions(
    _ uploads: Set<String>, of messages: [String], _ slice: inout Slice
  ) async throws {
    let rows = try await context.store.read(
      """
      SELECT message, version, attachments FROM chat_edits
      WHERE message IN (\(each: messages)) AND attachments IS NOT NULL
      """)
    for row in rows {
      guard
        let left = Self.attachments(
          try row["attachments", RawJSON.self], forgetting: uploads)
      else { continue }
      slice.batch.add(
        """
        UPDATE chat_edits SET attachments = \(left)
        WHERE message = \(try row["message", String.self])
          AND version = \(try row["version", Int64.self])
        """)
    }
  }

  private func forgetHeld(
    _ uploads: Set<String>, in messages: [String], _ slice: inout Slice
  ) async throws {
    let prefix = Self.holder(ofHeld: "")
    let ids = messages.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
    let rows = try await context.store.read(
      "SELECT id, message FROM chat_held_messages WHERE id IN (\(each: ids))")
    for row in rows {
      var message = try row["message", RawJSON.self].decode(Message.self)
      guard let left = Self.attachments(message.attachments, forgetting: uploads) else { continue }
      message.attachments = left
      slice.batch.add(
        """
        UPDATE chat_held_messages SET message = \(try RawJSON(encoding: message))
        WHERE id = \(message.id)
        """)
    }
  }

  /// Attachments without what is known of some uploads; nil where they stay as they are.
  private static func attachments(_ list: RawJSON?, forgetting uploads: Set<String>) -> RawJSON? {
    // What cannot be read as attachments has never linked to an upload.
    try? Attachments(list).forgetting(uploads)
  }
}
