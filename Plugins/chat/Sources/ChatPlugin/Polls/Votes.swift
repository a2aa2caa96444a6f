internal import PluginKit

/// A user's vote, or that he has taken back, as it is published.
struct VoteChange: Codable, Equatable {
  let messageID: String
  /// `type:id`
  let channel: String
  /// nil where votes are anonymous.
  let userID: String?
  /// Options that have one vote more.
  let added: [Int]
  /// Options that have one vote less.
  let removed: [Int]
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case channel
    case userID = "user_id"
    case added, removed
    case createdAt = "created_at"
  }
}

/// `PUT` and `DELETE /v1/messages/{id}/poll/votes`: which options a user has chosen.
extension ChatShard {
  struct Voting: Decodable {
    let optionIDs: [Int]
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case optionIDs = "option_ids"
      case userID = "user_id"
    }
  }

  func putVotes(_ request: Request) async throws -> Response {
    let voting: Voting = try request.decode()
    return try .json(
      try await vote(
        for: voting.optionIDs, at: try request.parameter(0), as: voting.userID,
        pointer: "/user_id", AppActor(request.principal)))
  }

  func deleteVotes(_ request: Request) async throws -> Response {
    _ = try await vote(
      for: [], at: try request.parameter(0), as: request.query("user_id"),
      pointer: "/query/user_id", AppActor(request.principal))
    return .empty()
  }

  /// Has a user choose these options and no others; the poll as it is then.
  ///
  /// - Parameter pointer: where the request names the user.
  func vote(
    for options: [Int], at id: String, as named: String?, pointer: String, _ actor: AppActor
  ) async throws -> Poll {
    let user = try actor.acting(as: named, pointer: pointer)
    let chosen = Set(options)
    for _ in 0..<Self.attempts {
      let (found, poll) = try await findPoll(id, for: actor)
      try found.access.require(.votePoll)
      guard chosen.isSubset(of: poll.options.map(\.id)) else {
        throw Problem.invalid(pointer: "/option_ids", "The poll has no such option.")
      }
      guard chosen.count <= poll.maxVotes else {
        throw Problem.invalid(
          pointer: "/option_ids", "A user chooses at most \(poll.maxVotes) of the options.")
      }
      let now = try context.clock.now()
      let state = try await shown(found.message, to: user).poll ?? poll
      let own = Set(state.ownVotes ?? [])
      guard own != chosen else { return state }
      guard !state.isClosed(at: now) else {
        throw Problem.conflict("The poll of \"\(id)\" is closed.")
      }
      let change = VoteChange(
        messageID: id, channel: found.message.channel,
        userID: poll.anonymous == nil ? user : nil, added: chosen.subtracting(own).sorted(),
        removed: own.subtracting(chosen).sorted(), createdAt: now)
      var batch = Batch()
      Self.count(
        change, by: user, voters: (chosen.isEmpty ? 0 : 1) - (own.isEmpty ? 0 : 1),
        votes: chosen.count, &batch)
      let allowing = found.address.still(.votePoll, actor, found.type, at: now).map {
        batch.add($0)
      }
      try batch.emit("chat.poll.voted", channel: found.address.realTimeName, data: change)
      do {
        try await context.store.commit(batch)
        return try await shown(found.message, to: user).poll ?? poll
      } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
        throw try await refusal(of: .votePoll, actor, found.address, found.type)
      } catch StoreError.conflict {
        // It has been closed or is gone, or the user votes in other ways at the same time.
      }
    }
    throw Problem.conflict("The user votes at \"\(id)\" in other ways all the time; try again.")
  }

  /// Changes votes and their counts, as long as the user's votes are those that the change was made from.
  private static func count(
    _ change: VoteChange, by user: String, voters: Int, votes: Int, _ batch: inout Batch
  ) {
    let id = change.messageID
    batch.add(
      SQL(
        """
        UPDATE chat_polls SET voters = voters + \(voters)
        WHERE message = \(id) AND closed_at IS NULL
        """
      ).expect(exactly: 1))
    if !change.removed.isEmpty {
      batch.add(
        SQL(
          """
          DELETE FROM chat_poll_votes WHERE message = \(id) AND user_id = \(user)
            AND option_id IN (\(each: change.removed))
          """
        ).expect(exactly: change.removed.count))
      batch.add(
        """
        UPDATE chat_poll_options SET votes = votes - 1
        WHERE message = \(id) AND option_id IN (\(each: change.removed))
        """)
    }
    for option in change.added {
      batch.add(
        SQL(
          """
          INSERT INTO chat_poll_votes (message, user_id, option_id, created_at)
          VALUES (\(id), \(user), \(option), \(change.createdAt))
          ON CONFLICT (message, user_id, option_id) DO NOTHING
          """
        ).expect(exactly: 1))
    }
    if !change.added.isEmpty {
      batch.add(
        SQL(
          """
          UPDATE chat_poll_options SET votes = votes + 1
          WHERE message = \(id) AND option_id IN (\(each: change.added))
          """
        ).expect(exactly: change.added.count))
    }
    batch.add(
      SQL("SELECT 1 FROM chat_poll_votes WHERE message = \(id) AND user_id = \(user)")
        .expect(exactly: votes))
  }

  /// A message with a poll that the actor may read.
  ///
  /// - Throws: `Problem` 404 where there is none.
  func findPoll(_ id: String, for actor: AppActor) async throws -> (found: Found, poll: Poll) {
    let found = try await find(message: id, for: actor)
    try found.type.require(.polls, in: found.address)
    guard let poll = found.message.poll else {
      throw Problem.notFound("The message \"\(id)\" has no poll.")
    }
    return (found, poll)
  }
}
