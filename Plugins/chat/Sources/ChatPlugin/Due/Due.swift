internal import PluginKit

/// What is due at a time. The plugin is woken for it, whether anybody asks the app for anything or not.
extension ChatShard {
  /// How much of each kind is done before others have their turn.
  static let atOnce = 50

  /// Does what is due; when the plugin is to be woken next.
  func wake() async throws -> Timestamp? {
    let now = try context.clock.now()
    try await closePolls(at: now)
    try await remind(at: now)
    goOnWithTasks()
    let tasks = try await nextAlarmOfTasks()
    let due = try await context.store.read(
      """
      SELECT min(t.due) AS due FROM (
        SELECT min(remind_at) AS due FROM chat_reminders
        WHERE reminded_at IS NULL AND remind_at IS NOT NULL
        UNION ALL
        SELECT min(closes_at) FROM chat_polls WHERE closed_at IS NULL AND closes_at IS NOT NULL
      ) AS t
      """
    ).first?["due", Timestamp?.self]
    return [due, tasks].compactMap(\.self).min()
  }

  // MARK: - polls

  private struct DuePoll: Decodable {
    let message: String
    let closesAt: Timestamp
    let type: String
    let channel: String

    private enum CodingKeys: String, CodingKey {
      case message
      case closesAt = "closes_at"
      case type, channel
    }
  }

  private func closePolls(at now: Timestamp) async throws {
    let due: [DuePoll] = try await context.store.read(
      """
      SELECT p.message, p.closes_at, m.type, m.channel
      FROM chat_polls p JOIN chat_messages m ON m.id = p.message
      WHERE p.closed_at IS NULL AND p.closes_at IS NOT NULL AND p.closes_at <= \(now)
      ORDER BY p.closes_at LIMIT \(Self.atOnce)
      """
    ).decode()
    for poll in due {
      guard let address = ChannelAddress(type: poll.type, id: poll.channel) else { continue }
      do {
        try await context.store.commit {
          SQL(
            """
            UPDATE chat_polls SET closed_at = closes_at
            WHERE message = \(poll.message) AND closed_at IS NULL
            """
          ).expect(exactly: 1)
          try Emit(
            "chat.poll.closed", channel: address.realTimeName,
            data: ClosedPoll(
              messageID: poll.message, channel: "\(address)", userID: nil, closedAt: poll.closesAt))
        }
      } catch StoreError.conflict {
        // Somebody has closed it, or it is gone with its message.
      }
    }
  }

  // MARK: - reminders

  private func remind(at now: Timestamp) async throws {
    let due: [Reminder] = try await context.store.read(
      """
      SELECT \(raw: Reminder.columns) FROM chat_reminders r
      WHERE r.reminded_at IS NULL AND r.remind_at IS NOT NULL AND r.remind_at <= \(now)
      ORDER BY r.remind_at LIMIT \(Self.atOnce)
      """
    ).decode()
    for reminder in due {
      do {
        let found = try await find(message: reminder.messageID, for: .user(reminder.userID))
        try found.type.require(.reminders, in: found.address)
      } catch is Problem {
        try await forget(reminder)
        continue
      }
      try await tell(reminder, at: now)
    }
  }

  /// Tells a user once: who marks the reminder as told tells him. What is changed meanwhile is looked at again.
  private func tell(_ reminder: Reminder, at now: Timestamp) async throws {
    var told = reminder
    told.remindedAt = now
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE chat_reminders SET reminded_at = \(now)
        WHERE user_id = \(reminder.userID) AND message = \(reminder.messageID)
          AND remind_at = \(reminder.remindAt) AND reminded_at IS NULL
        """
      ).expect(exactly: 1))
    batch.add(isReadable(reminder.messageID, by: reminder.userID))
    try batch.emit("chat.reminder.due", data: told)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict {
      return
    }
    tell("chat.reminder.due", try RawJSON(encoding: told), to: reminder.userID)
  }

  /// The user may not read the message any more: he is not told of it, and does not find it in his list.
  private func forget(_ reminder: Reminder) async throws {
    let commit = try await context.store.commit {
      SQL(
        """
        DELETE FROM chat_reminders WHERE user_id = \(reminder.userID)
          AND message = \(reminder.messageID) AND reminded_at IS NULL
        """)
    }
    if commit.statements[0].changed == 1 { try tellGone(reminder.messageID, reminder.userID) }
  }
}
