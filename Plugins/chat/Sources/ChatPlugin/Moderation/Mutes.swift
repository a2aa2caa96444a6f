internal import PluginKit

/// That a user does not want to hear of another.
struct Mute: Codable, Equatable {
  let userID: String
  let mutedID: String
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case mutedID = "muted_id"
    case createdAt = "created_at"
  }

  /// The most that a user has.
  static let limit = 1_000

  static let columns = "user_id, muted AS muted_id, created_at"
}

/// A mute that is over, as it is published.
struct EndedMute: Codable, Equatable {
  let userID: String
  let mutedID: String

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case mutedID = "muted_id"
  }
}

/// `/v1/mutes`: what others say is not unread to who has muted them.
extension ChatShard {
  private struct Who: Decodable {
    let userID: String?

    private enum CodingKeys: String, CodingKey { case userID = "user_id" }
  }

  func mute(_ request: Request) async throws -> Response {
    let who: Who? = request.body.isEmpty ? nil : try request.decode()
    let user = try AppActor(request.principal).acting(as: who?.userID, pointer: "/user_id")
    let other = try request.parameter(0)
    guard other != user else { throw Problem.forbidden("Nobody mutes himself.") }
    let now = try context.clock.now()
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO chat_mutes (user_id, muted, created_at) VALUES (\(user), \(other), \(now))
          ON CONFLICT (user_id, muted) DO NOTHING
          """)
        SQL(
          """
          SELECT 1 AS has_room
          WHERE (SELECT count(*) FROM chat_mutes WHERE user_id = \(user)) <= \(Mute.limit)
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict {
      throw Problem(
        status: 403, code: "quota_exceeded", detail: "A user mutes at most \(Mute.limit) others.")
    }
    let found: [Mute] = try await context.store.read(
      """
      SELECT \(raw: Mute.columns) FROM chat_mutes
      WHERE user_id = \(user) AND muted = \(other)
      """
    ).decode()
    let mute = found.first ?? Mute(userID: user, mutedID: other, createdAt: now)
    tell("chat.user.muted", mute, to: user)
    tellUnread(to: user)
    return try .json(mute)
  }

  func unmute(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let other = try request.parameter(0)
    let commit = try await context.store.commit {
      SQL("DELETE FROM chat_mutes WHERE user_id = \(user) AND muted = \(other)")
    }
    if commit.statements[0].changed > 0 {
      tell("chat.user.unmuted", EndedMute(userID: user, mutedID: other), to: user)
      tellUnread(to: user)
    }
    return .empty()
  }

  func listMutes(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let found: [Mute] = try await context.store.read(
      """
      SELECT \(raw: Mute.columns) FROM chat_mutes
      WHERE user_id = \(user) AND muted > \(request.query("after") ?? "")
      ORDER BY muted LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(found, limit: limit, next: \.mutedID))
  }
}
