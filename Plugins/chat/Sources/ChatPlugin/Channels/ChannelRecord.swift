internal import PluginKit

/// A channel, as it is answered and published.
struct ChannelRecord: Codable {
  let type: String
  let id: String
  /// `type:id`, as messages name their channel.
  let channel: String
  /// Absent when the app's server made it.
  let createdBy: String?
  /// What the app has put there, byte for byte.
  var data: RawJSON
  /// Whether only those write who may in a frozen channel.
  var isFrozen: Bool
  /// Seconds between two messages of a user; absent where the type says.
  var slowMode: Int64?
  /// Whether it is the one channel of these members.
  let isDistinct: Bool
  /// Counts its changes from 1.
  var revision: Int64
  let memberCount: Int
  /// The first hundred by id; absent in lists.
  var members: [String]?
  /// What it is to the member whose channels are listed; absent elsewhere.
  var membership: RawJSON?
  /// The newest message that it shows; in lists alone, and absent there while nothing can be read.
  var lastMessage: Message?
  /// Where its events stood before it was read; absent in lists and events.
  var offset: UInt64?
  var epoch: String?
  let createdAt: Timestamp
  /// Absent while it is as it was made.
  var updatedAt: Timestamp?
  /// When its newest message came; absent when there has been none.
  let lastMessageAt: Timestamp?

  /// With the place from which to listen to the channel.
  func listened(from place: EventPlace) -> ChannelRecord {
    var channel = self
    channel.offset = place.offset
    channel.epoch = place.epoch
    return channel
  }

  private enum CodingKeys: String, CodingKey {
    case type, id, channel
    case createdBy = "created_by"
    case data
    case isFrozen = "frozen"
    case slowMode = "slow_mode_seconds"
    case isDistinct = "distinct"
    case revision
    case memberCount = "member_count"
    case members, membership
    case lastMessage = "last_message"
    case offset, epoch
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case lastMessageAt = "last_message_at"
  }

  /// What a statement selects from `chat_channels c` to decode one.
  static let columns = """
    c.type, c.id, c.type || ':' || c.id AS channel, c.created_by, c.data, c.frozen, c.slow_mode_seconds,
    CASE WHEN c.distinct_key IS NULL THEN 0 ELSE 1 END AS "distinct", c.revision, c.created_at,
    c.updated_at, c.last_message_at,
    (SELECT count(*) FROM chat_members m WHERE m.type = c.type AND m.channel = c.id)
      AS member_count, NULL AS members, NULL AS membership
    """
}

extension ChannelAddress {
  /// The channel, if there is one that has not been deleted.
  var record: SQL {
    """
    SELECT \(raw: ChannelRecord.columns) FROM chat_channels c
    WHERE c.type = \(type) AND c.id = \(id) AND c.deleted_at IS NULL
    """
  }

  /// What decides who may do what in it; one row if there is such a channel, deleted or not.
  var state: SQL {
    """
    SELECT created_by, frozen AS is_frozen, CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS is_deleted,
      CASE WHEN distinct_key IS NULL THEN 0 ELSE 1 END AS is_distinct,
      slow_mode_seconds
    FROM chat_channels WHERE type = \(type) AND id = \(id)
    """
  }

  /// One row as long as the channel has not been deleted, to be expected in a batch.
  var isThere: SQL {
    SQL(
      """
      SELECT 1 AS is_there FROM chat_channels
      WHERE type = \(type) AND id = \(id) AND deleted_at IS NULL
      """
    ).expect(exactly: 1)
  }

  /// The first hundred members, by id.
  var members: SQL {
    """
    SELECT user_id FROM chat_members WHERE type = \(type) AND channel = \(id)
    ORDER BY user_id LIMIT 100
    """
  }
}

/// Where a channel's events stand: who listens from there hears all that came after.
struct EventPlace {
  let offset: UInt64
  let epoch: String
}

extension ChatShard {
  /// To be asked before what a client reads of the channel, so that nothing falls between the two.
  func eventPlace(of address: ChannelAddress) async throws -> EventPlace {
    let history = try await context.bus.history(
      address.realTimeName, since: .max >> 1, limit: 1)
    return EventPlace(offset: history.topOffset, epoch: history.epoch)
  }
}
