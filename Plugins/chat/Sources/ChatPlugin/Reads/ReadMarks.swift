internal import PluginKit

/// Up to where a user has read a channel.
struct ReadMark: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  let messageID: String
  let readAt: Timestamp
  /// How many messages of others stand behind it, counted up to ``limit``; nil in events, which all may hear.
  var unread: Int?

  /// What is not counted further.
  static let limit = 1_000

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case messageID = "message_id"
    case readAt = "read_at"
    case unread
  }
}

/// How much of a channel a member has not read, as it is answered and told.
struct Unread: Codable, Equatable {
  /// `type:id`
  let channel: String
  /// Counted up to `ReadMark.limit`.
  let unread: Int
  /// The last message that was read; nil when there is none.
  let messageID: String?

  private enum CodingKeys: String, CodingKey {
    case channel, unread
    case messageID = "message_id"
  }
}

/// What somebody has read.
struct Reading: Decodable {
  let messageID: String
  let userID: String?

  private enum CodingKeys: String, CodingKey {
    case messageID = "message_id"
    case userID = "user_id"
  }
}

extension ChatShard {
  /// Members of a channel who are told how much they have not read; in larger channels nobody is.
  static let audience = 100

  /// `POST /v1/channels/{type}/{id}/read`
  func markRead(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    return try .json(
      try await read(try request.decode(), in: address, type, for: Actor(request.principal)))
  }

  /// Moves a user's mark to a message; it never moves back.
  func read(
    _ reading: Reading, in address: ChannelAddress, _ type: ChannelType, for actor: Actor
  ) async throws -> ReadMark {
    let user = try actor.acting(as: reading.userID, pointer: "/user_id")
    try type.require(.reads, in: address)
    try await admit(actor, to: address, type, for: .readChannel)
    let now = try context.clock.now()
    let mark = ReadMark(
      channel: "\(address)", userID: user, messageID: reading.messageID, readAt: now)
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO chat_reads (type, channel, user_id, seq, message, read_at)
          SELECT type, channel, \(user), seq, id, \(now) FROM chat_messages
          WHERE id = \(reading.messageID) AND type = \(address.type) AND channel = \(address.id)
            AND listed = 1
          ON CONFLICT (type, channel, user_id) DO UPDATE
          SET seq = excluded.seq, message = excluded.message, read_at = excluded.read_at
          WHERE excluded.seq > chat_reads.seq
          """
        ).expect(exactly: 1)
      }
      publish(mark, in: address)
    } catch StoreError.conflict(statement: 0, _) {
      let known = try await context.store.read(
        """
        SELECT 1 AS is_there FROM chat_messages
        WHERE id = \(reading.messageID) AND type = \(address.type) AND channel = \(address.id)
          AND listed = 1
        """)
      guard !known.isEmpty else {
        throw Problem.invalid(
          pointer: "/message_id",
          "There is no message \"\(reading.messageID)\" that \(address) shows.")
      }
    }
    let state = try await context.store.read([address.mark(of: user), address.unread(by: user)])
    guard var now = try state[0].first?.decode(ReadMark.self) else { return mark }
    now.unread = try state[1].first?["unread", Int.self]
    tell(
      "chat.unread",
      Unread(channel: now.channel, unread: now.unread ?? 0, messageID: now.messageID), to: user)
    return now
  }

  /// `GET /v1/unread?user_id=&after=&limit=`: channels of a member with messages that he has not read.
  func listUnread(_ request: Request) async throws -> Response {
    let user = try Actor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let after = try request.query("after").map(Self.cursor) ?? ("", "")
    let rows: [Unread] = try await context.store.read(
      """
      SELECT channel, unread, message_id FROM (\(raw: Self.unreadColumns)
        WHERE m.user_id = \(user) AND NOT EXISTS (SELECT 1 FROM chat_channels c
            WHERE c.type = m.type AND c.id = m.channel AND c.deleted_at IS NOT NULL)
          AND (m.type, m.channel) > (\(after.0), \(after.1))
        ORDER BY m.type, m.channel) AS mine
      WHERE unread > 0 LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(rows, limit: limit, next: \.channel))
  }

  /// What of each member's channels stands where, to be narrowed.
  static let unreadColumns = """
    SELECT m.user_id, m.type || ':' || m.channel AS channel, r.message AS message_id, (
      SELECT count(*) FROM (
        SELECT 1 FROM chat_messages x
        WHERE x.type = m.type AND x.channel = m.channel AND x.seq > coalesce(r.seq, m.joined_seq)
          AND x.user_id <> m.user_id AND x.listed = 1 AND x.deleted_at IS NULL AND x.silent = 0
          AND NOT EXISTS (SELECT 1 FROM chat_mutes u
            WHERE u.user_id = m.user_id AND u.muted = x.user_id)
        LIMIT \(ReadMark.limit)) AS some) AS unread
    FROM chat_members m LEFT JOIN chat_reads r
      ON r.type = m.type AND r.channel = m.channel AND r.user_id = m.user_id
    """

  /// Whose readers are told together how much they have not read.
  enum Told: Hashable {
    case channel(ChannelAddress)
    /// The thread that a message of the channel began.
    case thread(String, ChannelAddress)
  }

  /// Tells a channel's members, soon and once for all that happens until then, how much they have not read.
  ///
  /// - Parameter user: who knows it all, having written it.
  func tellUnread(in address: ChannelAddress, but user: String) {
    tellSoon(.channel(address), but: user)
  }

  /// Tells likewise who follows a thread.
  func tellUnread(inThreadOf parent: String, _ address: ChannelAddress, but user: String) {
    tellSoon(.thread(parent, address), but: user)
  }

  /// One task for each channel and thread, so that no older count is told after a newer one.
  private func tellSoon(_ told: Told, but user: String) {
    let isUnderWay = telling[told] != nil
    var authors = telling[told] ?? []
    // With two nobody is left out any more, however many there are.
    if authors.count < 2 { authors.insert(user) }
    telling[told] = authors
    guard !isUnderWay else { return }
    context.spawn { [self] in
      defer { telling[told] = nil }
      while let authors = telling[told], !authors.isEmpty, context.isOpen {
        // What is committed from here on may be missing in what is read: it is told in another round.
        telling[told] = []
        do {
          switch told {
          case .channel(let address): try await tellMembers(of: address, writtenBy: authors)
          case .thread(let parent, let address):
            try await tellFollowers(of: parent, in: address, writtenBy: authors)
          }
        } catch {
          if context.isOpen {
            context.log.warning(
              "users cannot be told what they have not read", ["error": "\(error)"])
          }
        }
      }
    }
  }

  /// - Parameter authors: a single one is not told of what he has written himself.
  private func tellMembers(
    of address: ChannelAddress, writtenBy authors: Set<String>
  ) async throws {
    // First whether anybody is told at all, since the counts of so many would cost much more.
    let members =
      try await context.store.read(
        """
        SELECT count(*) AS members FROM (
          SELECT 1 FROM chat_members WHERE type = \(address.type) AND channel = \(address.id)
          LIMIT \(Self.audience + 1)) AS some
        """
      ).first?["members", Int.self] ?? 0
    guard members <= Self.audience else { return }
    let rows = try await context.store.read(
      """
      \(raw: Self.unreadColumns) WHERE m.type = \(address.type) AND m.channel = \(address.id)
      LIMIT \(Self.audience)
      """)
    let author = authors.count == 1 ? authors.first : nil
    for row in rows {
      let member = try row["user_id", String.self]
      if member != author { tell("chat.unread", try row.decode(Unread.self), to: member) }
    }
  }

  /// Tells who listens to a channel up to where a user has read; kept nowhere but in the table.
  private func publish(_ mark: ReadMark, in address: ChannelAddress) {
    do {
      try context.bus.publish(
        address.realTimeName, type: "chat.read", data: RawJSON(encoding: mark))
    } catch {
      // The mark is on disk, so the request has succeeded all the same.
      context.log.warning(
        "a mark cannot be told", ["channel": "\(address)", "error": "\(error)"])
    }
  }
}

extension ChannelAddress {
  /// Up to where a user has read, if he has.
  fileprivate func mark(of user: String) -> SQL {
    """
    SELECT type || ':' || channel AS channel, user_id, message AS message_id, read_at, NULL AS unread
    FROM chat_reads WHERE type = \(type) AND channel = \(id) AND user_id = \(user)
    """
  }

  /// How much stands behind it; also for a user who is no member of an open channel.
  fileprivate func unread(by user: String) -> SQL {
    """
    SELECT count(*) AS unread FROM (
      SELECT 1 FROM chat_messages x
      WHERE x.type = \(type) AND x.channel = \(id) AND x.user_id <> \(user) AND x.listed = 1
        AND x.deleted_at IS NULL AND x.silent = 0 AND NOT EXISTS (
          SELECT 1 FROM chat_mutes u WHERE u.user_id = \(user) AND u.muted = x.user_id)
        AND x.seq > (SELECT seq FROM chat_reads
          WHERE type = \(type) AND channel = \(id) AND user_id = \(user))
      LIMIT \(ReadMark.limit)) AS some
    """
  }
}
