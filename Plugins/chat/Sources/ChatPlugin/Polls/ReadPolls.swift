internal import PluginKit

/// A vote, as it is listed.
struct Vote: Codable {
  let userID: String
  let optionID: Int
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case optionID = "option_id"
    case createdAt = "created_at"
  }
}

/// A poll that takes no votes any more, as it is published.
struct ClosedPoll: Codable, Equatable {
  let messageID: String
  /// `type:id`
  let channel: String
  /// Who has closed it; nil when the app's server has, or its time was over.
  let userID: String?
  let closedAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case channel
    case userID = "user_id"
    case closedAt = "closed_at"
  }
}

/// `GET /v1/messages/{id}/poll/votes?option_id=&after=&limit=` and `POST /v1/messages/{id}/poll/close`
extension ChatShard {
  func listVotes(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let limit = try request.limit()
    let option = request.query("option_id").flatMap { Int64($0) }
    let after = try request.query("after").map { try PairCursor($0) }
    guard let first = after.map({ Int64($0.first) }) ?? 0 else { throw PairCursor.isNone }
    let (_, poll) = try await findPoll(id, for: AppActor(request.principal))
    guard poll.anonymous == nil else {
      throw Problem.forbidden("Who has voted in this poll is told to nobody.")
    }
    let votes: [Vote] = try await context.store.read(
      """
      SELECT user_id, option_id, created_at FROM chat_poll_votes WHERE message = \(id)
        AND (\(option == nil) = 1 OR option_id = \(option))
        AND (option_id, user_id) > (\(first), \(after?.second ?? ""))
      ORDER BY option_id, user_id LIMIT \(limit + 1)
      """
    ).decode()
    let page = Array(votes.prefix(limit))
    let next = votes.count > limit ? page.last : nil
    return try .json(
      Page(data: page, next: next.map { PairCursor("\($0.optionID)", $0.userID).text }))
  }

  /// For who sent it and may `edit_own_message`, for who may `delete_any_message`, and for the app's server.
  func closePoll(_ request: Request) async throws -> Response {
    struct Who: Decodable {
      let userID: String?

      private enum CodingKeys: String, CodingKey { case userID = "user_id" }
    }
    let id = try request.parameter(0)
    let who: Who? = request.body.isEmpty ? nil : try request.decode()
    let actor = try AppActor(request.principal)
    let (_, poll) = try await findPoll(id, for: actor)
    let found = try await own(
      id, as: who?.userID, at: "/user_id", for: actor, .editOwnMessage, others: .deleteAnyMessage)
    let now = try context.clock.now()
    var batch = Batch()
    batch.add(
      SQL(
        """
        UPDATE chat_polls SET closed_at = \(now) WHERE message = \(id) AND closed_at IS NULL
        """
      ).expect(exactly: 1))
    let allowing = found.still(.editOwnMessage, others: .deleteAnyMessage, at: now).map {
      batch.add($0)
    }
    try batch.emit(
      "chat.poll.closed", channel: found.address.realTimeName,
      data: ClosedPoll(
        messageID: id, channel: found.message.channel, userID: actor.user ?? who?.userID,
        closedAt: now))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      // It is closed already, or gone with its message.
      _ = try await findPoll(id, for: actor)
    } catch StoreError.conflict(statement: let failed?, _) where failed == allowing {
      throw try await refusal(
        of: found.permission(.editOwnMessage, others: .deleteAnyMessage), actor, found.address,
        found.type)
    }
    return try .json(try await shown(found.message, to: actor.user).poll ?? poll)
  }
}
