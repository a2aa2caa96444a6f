internal import PluginKit

/// What a user is in some channels, as it was in one snapshot.
struct Standing {
  /// By `type:id`; of channels that are not deleted.
  fileprivate(set) var memberships: [String: Membership] = [:]
  fileprivate var readable: Set<ChannelAddress> = []

  /// Whether the user may read a channel that was asked about.
  func isReadable(_ address: ChannelAddress) -> Bool { readable.contains(address) }
}

extension ChatShard {
  /// By the rules of `Access`.
  func standing(
    of user: String, in named: [(address: ChannelAddress, type: ChannelType)]
  ) async throws -> Standing {
    let groups = Self.byType(named.map(\.address))
    guard !groups.isEmpty else { return Standing() }
    let results = try await context.store.read(
      groups.flatMap { type, ids -> [SQL] in
        [
          """
          SELECT c.type || ':' || c.id AS channel,
            CASE WHEN c.deleted_at IS NULL THEN 0 ELSE 1 END AS is_deleted
          FROM chat_channels c WHERE c.type = \(type) AND c.id IN (\(each: ids))
          """,
          """
          SELECT \(raw: Membership.columns)
          FROM chat_members m JOIN chat_channels c ON c.type = m.type AND c.id = m.channel
          WHERE m.user_id = \(user) AND m.type = \(type) AND m.channel IN (\(each: ids))
            AND c.deleted_at IS NULL
          """,
        ]
      })
    var standing = Standing()
    var isDeleted: [String: Bool] = [:]
    for (index, rows) in results.enumerated() {
      for row in rows {
        if index % 2 == 0 {
          isDeleted[try row["channel", String.self]] = try row["is_deleted", Bool.self]
        } else {
          let membership = try row.decode(Membership.self)
          standing.memberships[membership.channel] = membership
        }
      }
    }
    for (address, type) in named {
      // Until somebody makes it, or its first message does, an open channel is an empty one.
      let isThere = isDeleted["\(address)"].map { !$0 } ?? type.isOpen
      let role = standing.memberships["\(address)"]?.role ?? Role.user
      if isThere, type.grants.allows(role, .readChannel) { standing.readable.insert(address) }
    }
    return standing
  }

  /// How much of some of his channels a member has not read, by `type:id`.
  func unread(by user: String, in channels: [ChannelAddress]) async throws -> [String: UnreadCount]
  {
    let groups = Self.byType(channels)
    guard !groups.isEmpty else { return [:] }
    let results = try await context.store.read(
      groups.map { type, ids in
        """
        \(raw: UnreadSQL.members) AND m.user_id = \(user) AND m.type = \(type)
          AND m.channel IN (\(each: ids))
        """
      })
    var unread: [String: UnreadCount] = [:]
    for rows in results {
      for count in try counts(in: rows) { unread[count.key.channel] = count }
    }
    return unread
  }

  /// The ids of channels, by their type and in an order of their own.
  static func byType(_ channels: [ChannelAddress]) -> [(type: String, ids: [String])] {
    Dictionary(grouping: channels, by: \.type).sorted { $0.key < $1.key }
      .map { ($0.key, $0.value.map(\.id).sorted()) }
  }
}
