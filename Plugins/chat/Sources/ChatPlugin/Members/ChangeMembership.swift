internal import PluginKit

/// `PATCH /v1/channels/{type}/{id}/membership`: what a channel is to a member, which nobody else hears of.
extension ChatShard {
  private struct Change: Decodable {
    let isHidden: Bool?
    let isArchived: Bool?
    let isPinned: Bool?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case isHidden = "hidden"
      case isArchived = "archived"
      case isPinned = "pinned"
      case userID = "user_id"
    }
  }

  /// The most channels that a user has pinned.
  static let pinLimit = 100

  func changeMembership(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let change: Change = try request.decode()
    let actor = try AppActor(request.principal)
    let user = try actor.acting(as: change.userID, pointer: "/user_id")
    try await access(actor, address, type).requireChannel()
    guard change.isHidden != nil || change.isArchived != nil || change.isPinned != nil else {
      throw Problem.invalid("Say what is to change: hidden, archived or pinned.")
    }
    let now = try context.clock.now()
    do {
      try await context.store.commit {
        SQL(
          """
          UPDATE chat_members SET
            hidden_seq = CASE WHEN \(change.isHidden == nil) = 1 THEN hidden_seq
              WHEN \(change.isHidden ?? false) = 1 THEN (SELECT c.last_seq FROM chat_channels c
                WHERE c.type = chat_members.type AND c.id = chat_members.channel) END,
            archived_at = CASE WHEN \(change.isArchived == nil) = 1 THEN archived_at
              WHEN \(change.isArchived ?? false) = 1 THEN coalesce(archived_at, \(now)) END,
            pinned_at = CASE WHEN \(change.isPinned == nil) = 1 THEN pinned_at
              WHEN \(change.isPinned ?? false) = 1 THEN coalesce(pinned_at, \(now)) END
          WHERE type = \(address.type) AND channel = \(address.id) AND user_id = \(user)
          """
        ).expect(exactly: 1)
        SQL(
          """
          SELECT 1 AS has_room WHERE \(change.isPinned != true) = 1 OR (SELECT count(*)
            FROM chat_members WHERE user_id = \(user) AND pinned_at IS NOT NULL) <= \(Self.pinLimit)
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict(statement: 0, _) {
      throw Self.noMember(user, of: address)
    } catch StoreError.conflict(statement: 1, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "A user has at most \(Self.pinLimit) channels pinned.")
    }
    guard
      let membership = try await context.store.read(address.ownMembership(of: user)).first?
        .decode(Membership.self)
    else { throw Self.noMember(user, of: address) }
    tell("chat.membership.updated", membership, to: user)
    return try .json(membership)
  }
}

extension ChannelAddress {
  /// What the channel is to a member, if the user is one.
  fileprivate func ownMembership(of user: String) -> SQL {
    """
    SELECT \(raw: Membership.columns)
    FROM chat_members m JOIN chat_channels c ON c.type = m.type AND c.id = m.channel
    WHERE m.type = \(type) AND m.channel = \(id) AND m.user_id = \(user)
    """
  }
}
