internal import PluginKit

/// A column that has a user, and what becomes of the rows with an erased one.
struct Trace: Equatable {
  enum End: Equatable {
    case removed
    /// The row stays, without him.
    case cleared
    /// The row stays where his messages do, and is as theirs then.
    case asMessages
  }

  let table: String
  let column: String
  /// What no two rows have the same.
  let key: [String]
  var end = End.removed
  var condition = "1 = 1"
}

/// A part of an erasure, done some rows at a time.
enum ErasureStep: Equatable {
  case exports, memberships, messages, votes, mentions
  /// Those in what messages said before, or are to say.
  case mentionsIn(table: String, key: [String])
  case trace(Trace)
  /// The index of words, where what was removed stands until it is merged.
  case words

  /// In the order in which they are done. What is found by a user comes before what shows that he has been there.
  static let allCases: [ErasureStep] =
    [.exports, .memberships, .messages, .votes, .mentions]
    + [
      .mentionsIn(table: "chat_edits", key: ["message", "version"]),
      .mentionsIn(table: "chat_drafts", key: ["user_id", "type", "channel", "parent"]),
    ] + traces.map { .trace($0) } + [.words]

  private static let ofChannel = ["type", "channel", "user_id"]

  private static let traces = [
    Trace(table: "chat_reactions", column: "user_id", key: ["message", "user_id", "reaction"]),
    Trace(table: "chat_reads", column: "user_id", key: ofChannel),
    Trace(
      table: "chat_thread_members", column: "user_id", key: ["parent", "user_id"],
      end: .asMessages),
    Trace(table: "chat_reminders", column: "user_id", key: ["user_id", "message"]),
    Trace(table: "chat_held_messages", column: "user_id", key: ["id"]),
    Trace(table: "chat_drafts", column: "user_id", key: ["user_id", "type", "channel", "parent"]),
    Trace(table: "chat_invitations", column: "user_id", key: ofChannel),
    Trace(table: "chat_bans", column: "user_id", key: ofChannel),
    Trace(table: "chat_pace", column: "user_id", key: ofChannel),
    Trace(table: "chat_mutes", column: "user_id", key: ["user_id", "muted"]),
    Trace(table: "chat_mutes", column: "muted", key: ["user_id", "muted"]),
    Trace(table: "chat_flags", column: "flagged_by", key: ["id"]),
    Trace(table: "chat_flags", column: "author", key: ["id"], end: .asMessages),
    Trace(table: "chat_flags", column: "resolved_by", key: ["id"], end: .cleared),
    Trace(table: "chat_channels", column: "created_by", key: ["type", "id"], end: .cleared),
    Trace(table: "chat_invitations", column: "invited_by", key: ofChannel, end: .cleared),
    Trace(table: "chat_bans", column: "banned_by", key: ofChannel, end: .cleared),
    Trace(table: "chat_edits", column: "replaced_by", key: ["message", "version"], end: .cleared),
    Trace(
      table: "chat_messages", column: "pinned_by", key: ["id"], end: .cleared,
      condition: "pinned_at IS NOT NULL"),
  ]
}

/// What a slice of an erasure comes to.
struct Slice {
  var batch = Batch()
  /// Whether nothing is left of the step.
  var isLast = false
  /// What is told when it is on disk; kept nowhere.
  var afterwards: [() -> Void] = []

  static var last: Slice { Slice(isLast: true) }
}

/// Everything of a user's, some rows at a time: they are found by readers and removed by their keys, so that no write is held up by a
/// search.
extension ChatShard {
  /// How many rows a slice has.
  static let sliced = 100

  func erase(_ task: TaskRecord) async throws {
    let steps = ErasureStep.allCases
    guard let user = task.userID, task.stage < steps.count else {
      return try await commit(Batch(), of: task, stage: task.stage, isDone: true)
    }
    let slice = try await slice(of: steps[task.stage], user, task)
    let stage = task.stage + (slice.isLast ? 1 : 0)
    try await commit(
      slice.batch, of: task, stage: stage, position: slice.isLast ? "" : "\(task.batches)",
      isDone: stage == steps.count)
    for tell in slice.afterwards { tell() }
  }

  private func slice(
    of step: ErasureStep, _ user: String, _ task: TaskRecord
  ) async throws -> Slice {
    let pseudonym = task.pseudonym ?? "erased"
    switch step {
    case .exports: return try await eraseExports(of: user)
    case .memberships: return try await eraseMemberships(of: user)
    case .messages:
      guard task.mode == "anonymise" else {
        return try await eraseMessages(of: user, leaving: pseudonym)
      }
      return try await renameMessages(of: user, to: pseudonym)
    case .votes: return try await eraseVotes(of: user)
    case .mentions: return try await eraseMentions(of: user)
    case .mentionsIn(let table, let key):
      return try await eraseMentions(of: user, in: table, by: key)
    case .trace(let trace):
      return try await erase(
        trace, of: user, leaving: task.mode == "anonymise" ? pseudonym : nil)
    case .words: return try await mergeWords(task)
    }
  }

  /// - Parameter pseudonym: nil where nothing stays that has one.
  private func erase(
    _ trace: Trace, of user: String, leaving pseudonym: String?
  ) async throws -> Slice {
    let key = trace.key.joined(separator: ", ")
    let rows = try await context.store.read(
      """
      SELECT \(raw: key) FROM \(raw: trace.table)
      WHERE \(raw: trace.column) = \(user) AND \(raw: trace.condition) LIMIT \(Self.sliced)
      """)
    guard !rows.isEmpty else { return .last }
    let those: Fragment = "(\(raw: key)) IN (VALUES \(Self.values(of: trace.key, in: rows)))"
    var slice = Slice()
    switch (trace.end, pseudonym) {
    case (.cleared, _):
      slice.batch.add(
        "UPDATE \(raw: trace.table) SET \(raw: trace.column) = NULL WHERE \(those)")
    case (.asMessages, let pseudonym?):
      slice.batch.add(
        "UPDATE \(raw: trace.table) SET \(raw: trace.column) = \(pseudonym) WHERE \(those)")
    case (.removed, _), (.asMessages, nil):
      slice.batch.add("DELETE FROM \(raw: trace.table) WHERE \(those)")
    }
    return slice
  }

  /// The rows of some columns, as a statement lists them.
  static func values(of columns: [String], in rows: Rows) -> Fragment {
    var values: Fragment = ""
    for (index, row) in rows.enumerated() {
      var cells: Fragment = ""
      for (place, column) in columns.enumerated() {
        cells = place == 0 ? "" : "\(cells), "
        cells = "\(cells)\(value: row[column] ?? .null)"
      }
      values = index == 0 ? "(\(cells))" : "\(values), (\(cells))"
    }
    return values
  }

  private func eraseExports(of user: String) async throws -> Slice {
    let found = try await context.store.read(
      "SELECT id FROM chat_tasks WHERE kind = 'export' AND user_id = \(user) LIMIT 1"
    ).first
    guard let id = try found?["id", String.self] else { return .last }
    var slice = Slice()
    for statement in Self.forget(task: id) { slice.batch.add(statement) }
    return slice
  }

  private func eraseMemberships(of user: String) async throws -> Slice {
    let rows = try await context.store.read(
      """
      SELECT type, channel FROM chat_members WHERE user_id = \(user)
      ORDER BY type, channel LIMIT \(Self.sliced)
      """)
    guard !rows.isEmpty else { return .last }
    let channels = try rows.compactMap {
      ChannelAddress(type: try $0["type", String.self], id: try $0["channel", String.self])
    }
    var slice = Slice()
    for (type, ids) in Self.byType(channels) {
      // The key has his id; the channel stays the others'.
      slice.batch.add(
        """
        UPDATE chat_channels SET distinct_key = NULL
        WHERE type = \(type) AND id IN (\(each: ids)) AND distinct_key IS NOT NULL
        """)
      slice.batch.add(
        """
        DELETE FROM chat_members
        WHERE user_id = \(user) AND type = \(type) AND channel IN (\(each: ids))
        """)
    }
    slice.afterwards = channels.map { address in
      { [self] in hasLeft(user, address) }
    }
    return slice
  }

  /// Tells who listens, and nobody later, since the history would keep his id.
  private func hasLeft(_ user: String, _ address: ChannelAddress) {
    let removed = RemovedMember(channel: "\(address)", userID: user, removedBy: nil)
    try? context.bus.publish(
      address.realTimeName, type: "chat.member.removed",
      data: (try? RawJSON(encoding: removed)) ?? "{}")
    tell("chat.member.removed", removed, to: user)
    if let type = try? types[address.type], type.grants.allows(Role.user, .readChannel) { return }
    endSubscriptions(to: address, of: user)
  }

  private func eraseVotes(of user: String) async throws -> Slice {
    let messages = try await context.store.read(
      """
      SELECT DISTINCT message FROM chat_poll_votes WHERE user_id = \(user)
      ORDER BY message LIMIT \(Self.sliced)
      """
    ).map { try $0["message", String.self] }
    guard !messages.isEmpty else { return .last }
    var slice = Slice()
    slice.batch.add(
      """
      UPDATE chat_poll_options SET votes = votes - 1
      WHERE message IN (\(each: messages)) AND EXISTS (SELECT 1 FROM chat_poll_votes v
        WHERE v.message = chat_poll_options.message AND v.option_id = chat_poll_options.option_id
          AND v.user_id = \(user))
      """)
    slice.batch.add(
      """
      UPDATE chat_polls SET voters = voters - 1
      WHERE message IN (\(each: messages)) AND EXISTS (SELECT 1 FROM chat_poll_votes v
        WHERE v.message = chat_polls.message AND v.user_id = \(user))
      """)
    slice.batch.add(
      """
      DELETE FROM chat_poll_votes
      WHERE user_id = \(user) AND message IN (\(each: messages))
      """)
    return slice
  }

  /// How often the index of words is merged at most, since others' messages bring more of it meanwhile.
  private static let merges: Int64 = 2_000

  private func mergeWords(_ task: TaskRecord) async throws -> Slice {
    let row = try await context.store.read(
      "SELECT count(DISTINCT segid) AS parts FROM chat_search_idx"
    ).first
    let began = Int64(task.position) ?? task.batches
    guard try row?["parts", Int.self] ?? 0 > 1, task.batches - began < Self.merges else {
      return .last
    }
    var slice = Slice()
    slice.batch.add("INSERT INTO chat_search (chat_search, rank) VALUES ('merge', -200)")
    return slice
  }
}
