internal import PluginKit

/// A channel that a client did not name, with the place from which it is to be listened to.
struct JoinedChannel: Encodable {
  /// With what it is to the user.
  let channel: ChannelRecord
  /// Where it stood before it was read: what came behind is told to who listens from there.
  let offset: UInt64
  let epoch: String
  let unread: Int
  let readMessageID: String?

  private enum CodingKeys: String, CodingKey {
    case channel, offset, epoch, unread
    case readMessageID = "read_message_id"
  }
}

/// What happened to the user himself.
extension ChatShard {
  /// How many of a kind an answer has.
  private static let ofAKind = 100

  /// Channels that he is a member of and that are not named; with `since`, those that he came into after it.
  func joined(
    by user: String, but named: [(address: ChannelAddress, type: ChannelType)],
    _ wanted: SyncRequest
  ) async throws -> Page<JoinedChannel> {
    let after = try wanted.joinedAfter.map { text in
      guard let address = try? channel(text).0 else {
        throw Problem.invalid(
          pointer: "/joined_after", "joined_after is what \"next\" of \"joined\" said.")
      }
      return (address.type, address.id)
    }
    var isNamed: Fragment = "1 = 0"
    for (type, ids) in Self.byType(named.map(\.address)) {
      isNamed = "\(isNamed) OR (m.type = \(type) AND m.channel IN (\(each: ids)))"
    }
    let since = wanted.since?.adding(milliseconds: -Self.margin).unixMilliseconds ?? .min
    let rows = try await context.store.read(
      """
      SELECT \(raw: ChannelRecord.columns), o.role, o.archived_at, o.pinned_at,
        o.created_at AS member_since, o.hidden
      FROM (
        SELECT m.type, m.channel, m.role, m.archived_at, m.pinned_at, m.created_at,
          CASE WHEN m.hidden_seq >= x.last_seq THEN 1 ELSE 0 END AS hidden
        FROM chat_members m JOIN chat_channels x ON x.type = m.type AND x.id = m.channel
        WHERE m.user_id = \(user) AND (m.type, m.channel) > (\(after?.0 ?? ""), \(after?.1 ?? ""))
          AND m.created_at >= \(since) AND NOT (\(isNamed))
          AND \(readable("m", by: user))
        ORDER BY m.type, m.channel LIMIT \(Self.ofAKind + 1)
      ) AS o JOIN chat_channels c ON c.type = o.type AND c.id = o.channel
      ORDER BY o.type, o.channel
      """)
    let page = Array(rows.prefix(Self.ofAKind))
    let records = try page.map { try Self.record(in: $0, of: user) }
    let addresses = records.compactMap { ChannelAddress(type: $0.type, id: $0.id) }
    // Before anything that the client reads of them.
    var places: [EventPlace] = []
    for address in addresses { places.append(try await eventPlace(of: address)) }
    let unread = try await unread(by: user, in: addresses)
    let data = zip(records, places).map { record, place in
      JoinedChannel(
        channel: record, offset: place.offset, epoch: place.epoch,
        unread: unread[record.channel]?.unread ?? 0,
        readMessageID: unread[record.channel]?.messageID)
    }
    return Page(data: data, next: rows.count > page.count ? data.last?.channel.channel : nil)
  }

  /// Messages of others that mention him and that he may read; none without `since`, since a client that knows nothing has missed nothing.
  func mentions(of user: String, _ wanted: SyncRequest) async throws -> Page<Message> {
    guard let since = wanted.since else { return Page(data: [], next: nil) }
    let from = since.adding(milliseconds: -Self.margin).unixMilliseconds
    let after =
      try wanted.mentionsAfter.map { try TimedCursor($0, at: "/mentions_after") }
      ?? TimedCursor(at: from, id: "")
    let found: Fragment = """
      SELECT x.message AS id, x.created_at FROM chat_mentions x
      JOIN chat_messages m ON m.id = x.message
      WHERE x.user_id = \(user) AND (x.created_at, x.message) > (\(after.at), \(after.id))
        AND m.user_id <> \(user) AND m.deleted_at IS NULL AND m.silent = 0
        AND \(readable("m", by: user))
      ORDER BY x.created_at, x.message LIMIT \(Self.ofAKind + 1)
      """
    let scope = MessageScope(ids: "SELECT f.id FROM (\(found)) AS f", viewer: user)
    let results = try await context.store.read(
      scope.statements + ["SELECT id, created_at FROM (\(found)) AS f ORDER BY created_at, id"])
    var messages: [String: Message] = [:]
    for placed in try MessageScope.messages(in: results[..<MessageScope.count]) {
      messages[placed.message.id] = placed.message
    }
    let order = results[MessageScope.count]
    let page = order.prefix(Self.ofAKind)
    let next = try (order.count > page.count ? page.last : nil).map {
      TimedCursor(at: try $0["created_at", Int64.self], id: try $0["id", String.self]).text
    }
    return Page(data: try page.compactMap { messages[try $0["id", String.self]] }, next: next)
  }
}
