internal import PluginKit

/// `PUT` and `DELETE /v1/messages/{id}/reminder`: the user's own, told to his other devices on his own channel.
extension ChatShard {
  private struct Wanted: Decodable {
    let remindAt: Timestamp?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case remindAt = "remind_at"
      case userID = "user_id"
    }
  }

  func putReminder(_ request: Request) async throws -> Response {
    let wanted: Wanted? = request.body.isEmpty ? nil : try request.decode()
    let user = try AppActor(request.principal).acting(as: wanted?.userID, pointer: "/user_id")
    let id = try request.parameter(0)
    // What he may not read now he would not be told of later.
    let found = try await find(message: id, for: .user(user))
    try found.type.require(.reminders, in: found.address)
    let now = try context.clock.now()
    guard wanted?.remindAt.map({ now < $0 }) ?? true else {
      throw Problem.invalid(pointer: "/remind_at", "remind_at is a time that is still to come.")
    }
    let batch = keep(id, in: found.address, for: user, until: wanted?.remindAt, at: now)
    do {
      if let time = wanted?.remindAt {
        try await context.alarm.commit(batch, wakingAt: time)
      } else {
        try await context.store.commit(batch)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "A user has at most \(Reminder.limit) reminders.")
    } catch StoreError.conflict {
      throw Self.noMessage(id)
    }
    guard let reminder = try await reminder(of: user, at: id) else { throw Self.noMessage(id) }
    tell("chat.reminder.updated", try RawJSON(encoding: reminder), to: user)
    return try .json(reminder)
  }

  func deleteReminder(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let id = try request.parameter(0)
    let commit = try await context.store.commit {
      SQL("DELETE FROM chat_reminders WHERE user_id = \(user) AND message = \(id)")
    }
    if commit.statements[0].changed == 1 { try tellGone(id, user) }
    return .empty()
  }

  /// Tells a user's devices that a reminder is gone.
  func tellGone(_ id: String, _ user: String) throws {
    let deleted = DeletedReminder(messageID: id, userID: user)
    tell("chat.reminder.deleted", try RawJSON(encoding: deleted), to: user)
  }

  /// A reminder in place of the user's former one of the message, as long as he may read that.
  private func keep(
    _ id: String, in address: ChannelAddress, for user: String, until time: Timestamp?,
    at now: Timestamp
  ) -> Batch {
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO chat_reminders (user_id, message, type, channel, remind_at, created_at, updated_at)
        SELECT \(user), \(id), \(address.type), \(address.id), \(time), \(now), \(now)
        WHERE (SELECT count(*) FROM chat_reminders r
          WHERE r.user_id = \(user) AND r.message <> \(id)) < \(Reminder.limit)
        ON CONFLICT (user_id, message) DO UPDATE
        SET remind_at = excluded.remind_at, reminded_at = NULL, updated_at = excluded.updated_at
        """
      ).expect(exactly: 1))
    batch.add(isReadable(id, by: user))
    return batch
  }

  /// One row while a message is there and a user may read it.
  func isReadable(_ id: String, by user: String) -> SQL {
    SQL(
      """
      SELECT 1 AS is_there FROM chat_messages m
      WHERE m.id = \(id) AND m.deleted_at IS NULL AND \(readable("m", by: user))
      """
    ).expect(exactly: 1)
  }

  private func reminder(of user: String, at id: String) async throws -> Reminder? {
    try await context.store.read(
      """
      SELECT \(raw: Reminder.columns) FROM chat_reminders r
      WHERE r.user_id = \(user) AND r.message = \(id)
      """
    ).first?.decode(Reminder.self)
  }
}
