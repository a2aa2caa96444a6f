internal import PluginKit

/// `GET /v1/channels`: in the order of type and id, or the one with the newest message first.
extension ChatShard {
  func listChannels(_ request: Request) async throws -> Response {
    let limit = try request.limit()
    let member = try Self.member(request.query("member"), AppActor(request.principal))
    let wanted = try ChannelFilter(request, isOfMember: member != nil)
    // The list is no way around the scope that messages are read with.
    let scopes = request.principal.scopes
    let showsMessages = scopes.contains(AuthorityQuestion.scope) || scopes.contains("*")
    guard let member else {
      let channels: [ChannelRecord] = try await context.store.read(
        """
        SELECT \(raw: ChannelRecord.columns) FROM chat_channels c
        WHERE (c.type, c.id) > (\(wanted.after.type), \(wanted.after.id)) AND c.deleted_at IS NULL
          AND (\(wanted.type == nil) = 1 OR c.type = \(wanted.type ?? ""))
        ORDER BY c.type, c.id LIMIT \(limit + 1)
        """
      ).decode()
      let page = try await withLastMessages(
        Array(channels.prefix(limit)), among: showsMessages ? nil : [], for: nil)
      return try .json(
        Page(data: page, next: channels.count > limit ? page.last?.channel : nil))
    }
    let rows = try await context.store.read(wanted.channels(of: member, limit + 1))
    var readable: Set<String> = []
    let listed = try rows.prefix(limit).map { row in
      let mayRead = try? types[row["type", String.self]].grants.allows(
        row["role", String.self], .readChannel)
      let channel = try Self.record(
        in: row, of: member, unread: mayRead == true ? row["unread", Int.self] : 0)
      if mayRead == true, showsMessages { readable.insert(channel.channel) }
      return channel
    }
    let page = try await withLastMessages(listed, among: readable, for: member)
    let next = rows.count > limit ? page.last.map(wanted.cursor) : nil
    return try .json(Page(data: page, next: next))
  }

  /// Channels with the newest message that each shows.
  ///
  /// - Parameters:
  ///   - readable: those that may be read; nil for all.
  ///   - viewer: whose own reactions are shown.
  private func withLastMessages(
    _ channels: [ChannelRecord], among readable: Set<String>? = nil, for viewer: String?
  ) async throws -> [ChannelRecord] {
    let addresses = channels.filter { readable?.contains($0.channel) ?? true }
      .compactMap { ChannelAddress(type: $0.type, id: $0.id) }
    // A constant among these would have every channel looked at.
    var isListed: Fragment?
    for (type, ids) in Self.byType(addresses) {
      let isOne: Fragment = "(c.type = \(type) AND c.id IN (\(each: ids)))"
      isListed = isListed.map { "\($0) OR \(isOne)" as Fragment } ?? isOne
    }
    guard let isListed else { return channels }
    let scope = MessageScope(
      ids: """
        SELECT (SELECT x.id FROM chat_messages x WHERE x.type = c.type AND x.channel = c.id
          AND x.listed = 1 AND x.deleted_at IS NULL ORDER BY x.seq DESC LIMIT 1) AS id
        FROM chat_channels c WHERE \(isListed)
        """, viewer: viewer)
    let results = try await context.store.read(scope.statements)
    var messages: [String: Message] = [:]
    for placed in try MessageScope.messages(in: results[...]) {
      messages[placed.message.channel] = placed.message
    }
    return channels.map { channel in
      var channel = channel
      channel.lastMessage = messages[channel.channel]
      return channel
    }
  }

  /// A channel with what it is to a member, and how much of it he has not read, where that is shown with it.
  static func record(
    in row: Row, of member: String, unread: Int? = nil
  ) throws -> ChannelRecord {
    var channel = try row.decode(ChannelRecord.self)
    channel.membership = try RawJSON(
      encoding: Membership(
        channel: channel.channel, userID: member, role: row["role", String.self],
        isHidden: row["hidden", Int.self] == 1, unread: unread,
        archivedAt: row["archived_at", Timestamp?.self],
        pinnedAt: row["pinned_at", Timestamp?.self],
        createdAt: row["member_since", Timestamp.self]))
    return channel
  }

  /// Whose channels are listed; nil is everybody's. A user sees his own alone.
  private static func member(_ named: String?, _ actor: AppActor) throws -> String? {
    guard let user = actor.user else { return named }
    guard named == nil || named == user else {
      throw Problem.forbidden("The token is of user \"\(user)\", so member cannot be another.")
    }
    return user
  }

  /// The type and id that a page ended with.
  static func cursor(_ text: String) throws -> (String, String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    return (String(parts[0]), String(parts[1]))
  }
}

/// Which channels are listed, and in which order.
private struct ChannelFilter {
  let type: String?
  let isHidden: Bool
  /// nil: whether or not.
  let isArchived: Bool?
  let isPinned: Bool?
  let isByMessage: Bool
  /// What the page before ended with; `at` in Unix milliseconds, by message only.
  let after: (at: Int64, type: String, id: String)

  /// - Throws: `Problem` 400 when it asks of nobody's list what only a member's has, or `after` is no cursor.
  init(_ request: Request, isOfMember: Bool) throws {
    type = request.query("type")
    isHidden = request.query("hidden") == "true"
    isArchived = request.query("archived").map { $0 == "true" }
    isPinned = request.query("pinned").map { $0 == "true" }
    isByMessage = request.query("sort") == "last_message"
    for name in ["hidden", "archived", "pinned", "sort"]
    where !isOfMember && request.query(name) != nil && request.query(name) != "id" {
      throw Problem.invalid(
        pointer: "/query/\(name)", "\(name) is for the channels of a member: say which.")
    }
    guard let text = request.query("after") else {
      after = isByMessage ? (.max, "", "") : (0, "", "")
      return
    }
    guard isByMessage else {
      let (type, id) = try ChatShard.cursor(text)
      after = (0, type, id)
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let at = Int64(parts[0]),
      case (let type, let id) = try ChatShard.cursor(String(parts[1]))
    else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    after = (at, type, id)
  }

  /// What goes on behind a channel.
  func cursor(_ channel: ChannelRecord) -> String {
    guard isByMessage else { return channel.channel }
    let at = channel.lastMessageAt ?? channel.createdAt
    return "\(at.unixMilliseconds):\(channel.channel)"
  }

  /// The page is found before its channels' members are counted.
  func channels(of member: String, _ count: Int) -> SQL {
    let order = isByMessage ? "o.active_at DESC, o.type, o.channel" : "o.type, o.channel"
    return """
      SELECT \(raw: ChannelRecord.columns), o.role, o.archived_at, o.pinned_at,
        o.created_at AS member_since, o.hidden,
        \(raw: UnreadSQL.messages(of: "o", after: "coalesce(r.seq, o.joined_seq)"))
      FROM (
        SELECT * FROM (
          SELECT m.type, m.channel, m.user_id, m.joined_seq, m.role, m.archived_at, m.pinned_at, m.created_at,
            coalesce(x.last_message_at, x.created_at) AS active_at,
            CASE WHEN m.hidden_seq >= x.last_seq THEN 1 ELSE 0 END AS hidden
          FROM chat_members m JOIN chat_channels x ON x.type = m.type AND x.id = m.channel
          WHERE m.user_id = \(member) AND x.deleted_at IS NULL
            AND (\(type == nil) = 1 OR m.type = \(type ?? ""))
            AND (\(isArchived == nil) = 1
              OR CASE WHEN m.archived_at IS NULL THEN 0 ELSE 1 END = \(isArchived ?? false))
            AND (\(isPinned == nil) = 1
              OR CASE WHEN m.pinned_at IS NULL THEN 0 ELSE 1 END = \(isPinned ?? false))
        ) AS o
        WHERE o.hidden = \(isHidden) AND CASE WHEN \(isByMessage) = 1 AND o.active_at <> \(after.at)
          THEN o.active_at < \(after.at) ELSE (o.type, o.channel) > (\(after.type), \(after.id)) END
        ORDER BY \(raw: order) LIMIT \(count)
      ) AS o JOIN chat_channels c ON c.type = o.type AND c.id = o.channel
      LEFT JOIN chat_reads r
        ON r.type = o.type AND r.channel = o.channel AND r.user_id = o.user_id
      ORDER BY \(raw: order)
      """
  }
}
