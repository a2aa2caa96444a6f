internal import PluginKit

/// What a slice of an erasure comes to.
struct Slice {
  var batch = Batch()
  /// Whether nothing is left of the step.
  var isLast = false
  /// Where the next begins, where that is not seen by what is left.
  var position: String?
  /// What is told when it is on disk; kept nowhere.
  var afterwards: [() -> Void] = []

  static var last: Slice { Slice(isLast: true) }
}

/// Everything of a user's, some rows at a time: they are found by readers and removed by their keys, so that no write is held up by a
/// search.
extension ChatShard {
  /// How many rows a slice has at most.
  static let sliced = 100

  func erase(_ task: TaskRecord) async throws {
    let steps = ErasureStep.allCases
    guard let user = task.userID, task.stage < steps.count else {
      return try await commit(Batch(), of: task, stage: task.stage, isDone: true)
    }
    let slice = try await slice(of: steps[task.stage], user, task)
    let stage = task.stage + (slice.isLast ? 1 : 0)
    // Where the step has begun, in batches.
    let position = task.position.isEmpty ? "\(task.batches)" : task.position
    try await commit(
      slice.batch, of: task, stage: stage,
      position: slice.isLast ? "" : slice.position ?? position,
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
    case .mutes:
      guard task.mode == "anonymise" else { return .last }
      return try await keepMuted(user, as: pseudonym)
    case .messages:
      guard task.mode == "anonymise" else {
        return try await eraseMessages(of: user, leaving: pseudonym)
      }
      return try await renameMessages(of: user, to: pseudonym)
    case .votes: return try await eraseVotes(of: user)
    case .mentions: return try await eraseMentions(of: user)
    case .mentionsIn(let table, let key):
      return try await eraseMentions(of: user, in: table, by: key)
    case .mentionsHeld: return try await eraseMentionsHeld(of: user, after: task.position)
    case .trace(let trace):
      return try await erase(
        trace, of: user, leaving: task.mode == "anonymise" ? pseudonym : nil)
    case .uploads: return try await eraseUploads(of: user)
    case .words: return try await mergeWords(task)
    }
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
      ORDER BY type, channel LIMIT \(tasks.rows)
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
      ORDER BY message LIMIT \(tasks.rows)
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
