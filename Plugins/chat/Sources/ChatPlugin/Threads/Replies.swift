internal import PluginKit

/// What a reply changes beside itself, in the batch that stores or deletes it: the message that it replies to, and who has to do with
/// the thread.
extension ChatShard {
  /// Counts a reply, which stands in the place that a statement of the batch found.
  ///
  /// - Parameter place: the statement's number.
  /// - Returns: the number of the statement that fails when nothing can be replied to.
  static func keepReply(
    _ message: Message, to parent: String, in address: ChannelAddress, at place: Int = 0,
    _ batch: inout Batch
  ) -> Int {
    let now = message.createdAt
    let counted = batch.add(
      SQL(
        """
        UPDATE chat_messages SET reply_count = reply_count + 1,
          latest_reply_at = CASE WHEN latest_reply_at > \(now) THEN latest_reply_at ELSE \(now) END
        WHERE id = \(parent) AND type = \(address.type) AND channel = \(address.id)
          AND parent IS NULL AND deleted_at IS NULL
        """
      ).expect(exactly: 1))
    // Who has begun it, and whom that mentions, follow the thread from its first reply on.
    batch.add(
      """
      INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
      SELECT id, user_id, 0, 0, seq, 1, \(now) FROM chat_messages WHERE id = \(parent)
      ON CONFLICT (parent, user_id) DO UPDATE SET follows = 1
      """)
    batch.add(
      """
      INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
      SELECT m.id, x.user_id, 0, 0, m.seq, 1, \(now)
      FROM chat_messages m JOIN chat_mentions x ON x.message = m.id WHERE m.id = \(parent)
      ON CONFLICT (parent, user_id) DO UPDATE SET follows = 1
      """)
    batch.add(
      """
      INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
      VALUES (\(parent), \(message.userID), 1, coalesce(
          (SELECT max(place) FROM chat_thread_members WHERE parent = \(parent)), 0) + 1,
        \(.returned(from: place, "last_seq")), 1, \(now))
      ON CONFLICT (parent, user_id) DO UPDATE SET follows = 1,
        replies = chat_thread_members.replies + 1,
        place = CASE WHEN chat_thread_members.place = 0 THEN excluded.place
          ELSE chat_thread_members.place END
      """)
    // To them this reply is the first that they have not read.
    for user in message.mentions ?? [] where !user.isExactly(message.userID) {
      batch.add(
        """
        INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
        VALUES (\(parent), \(user), 0, 0, \(.returned(from: place, "last_seq")) - 1, 1, \(now))
        ON CONFLICT (parent, user_id) DO UPDATE SET follows = 1
        """)
    }
    return counted
  }

  /// Has users follow the thread that a message stands in, or has begun, because a change of the message mentions them.
  static func follow(_ users: [String], of id: String, at now: Timestamp, _ batch: inout Batch) {
    for user in users {
      batch.add(
        """
        INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
        SELECT coalesce(m.parent, m.id), \(user), 0, 0,
          CASE WHEN m.parent IS NULL THEN m.seq ELSE m.seq - 1 END, 1, \(now)
        FROM chat_messages m WHERE m.id = \(id) AND (m.parent IS NOT NULL OR m.reply_count > 0)
        ON CONFLICT (parent, user_id) DO UPDATE SET follows = 1
        """)
    }
  }

  /// Takes a reply that the batch deletes out of the counts.
  static func dropReply(_ message: Message, of parent: String, _ batch: inout Batch) {
    batch.add(
      """
      UPDATE chat_messages SET reply_count = reply_count - 1, latest_reply_at = (
        SELECT x.created_at FROM chat_messages x WHERE x.parent = \(parent) AND x.deleted_at IS NULL
        ORDER BY x.seq DESC LIMIT 1)
      WHERE id = \(parent)
      """)
    batch.add(
      """
      UPDATE chat_thread_members SET replies = replies - 1,
        place = CASE WHEN replies = 1 THEN 0 ELSE place END
      WHERE parent = \(parent) AND user_id = \(message.userID)
      """)
  }

  /// Why nothing can reply to a message.
  ///
  /// - Parameter pointer: where the request names it.
  func noParent(
    _ id: String, in address: ChannelAddress, at pointer: String = "/parent_id"
  ) async throws -> Problem {
    let row = try await context.store.read(
      """
      SELECT parent FROM chat_messages
      WHERE id = \(id) AND type = \(address.type) AND channel = \(address.id)
        AND deleted_at IS NULL
      """
    ).first
    guard let row, let parent = try row["parent", String?.self] else {
      return .invalid(
        pointer: pointer, "There is no message \"\(id)\" in \(address) to reply to.")
    }
    return .invalid(
      pointer: pointer,
      "\"\(id)\" is a reply itself: reply to \"\(parent)\", with which its thread begins.")
  }
}
