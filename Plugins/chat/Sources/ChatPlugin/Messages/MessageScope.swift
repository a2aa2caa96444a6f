internal import PluginKit

/// A message and its place in its channel.
struct Placed: Decodable {
  var message: Message
  let seq: Int64

  private enum CodingKeys: String, CodingKey { case seq }

  init(message: Message, seq: Int64) {
    self.message = message
    self.seq = seq
  }

  init(from decoder: any Decoder) throws {
    message = try Message(from: decoder)
    seq = try decoder.container(keyedBy: CodingKeys.self).decode(Int64.self, forKey: .seq)
  }
}

/// Messages that are answered together: a list's page, or a single one. What is shown with them is read with them, in one
/// snapshot and as many statements for a hundred as for one.
struct MessageScope {
  /// Selects the ids, in a column of that name.
  let ids: Fragment
  /// Of the columns of `chat_messages m`.
  var order = "m.seq DESC"
  /// Whose own reactions are shown; nil for nobody's.
  let viewer: String?

  /// A single message, if it is there.
  static func message(_ id: String, viewer: String?) -> MessageScope {
    MessageScope(
      ids: "SELECT x.id FROM chat_messages x WHERE x.id = \(id) AND x.deleted_at IS NULL",
      viewer: viewer)
  }

  /// To be read in one snapshot, for ``messages(in:)``.
  var statements: [SQL] {
    [
      """
      SELECT \(raw: Message.columns), m.seq, q.user_id AS quoted_user_id, q.text AS quoted_text,
        q.created_at AS quoted_created_at, q.deleted_at AS quoted_deleted_at
      FROM chat_messages m LEFT JOIN chat_messages q ON q.id = m.quoted
      WHERE m.id IN (\(ids)) ORDER BY \(raw: order)
      """,
      """
      SELECT message, reaction, count(*) AS users FROM chat_reactions
      WHERE message IN (\(ids)) GROUP BY message, reaction ORDER BY message, reaction
      """,
      """
      SELECT t.parent, t.user_id FROM (
        SELECT p.id, (
          SELECT y.place FROM chat_thread_members y WHERE y.parent = p.id AND y.place > 0
          ORDER BY y.place LIMIT 1 OFFSET \(Self.participants - 1)) AS last
        FROM chat_messages p WHERE p.id IN (\(ids)) AND p.reply_count > 0
      ) AS s CROSS JOIN chat_thread_members t
      WHERE t.parent = s.id AND t.place BETWEEN 1 AND coalesce(s.last, \(Int64.max))
      ORDER BY t.parent, t.place
      """,
      """
      SELECT message, reaction FROM chat_reactions
      WHERE message IN (\(ids)) AND user_id = \(viewer ?? "") ORDER BY message, reaction
      """,
      PollAnswers.statement(ids, viewer: viewer),
    ]
  }

  /// How many of those who have replied are shown.
  static let participants = 10

  /// How many statements there are.
  static let count = 5

  /// The messages, in the scope's order.
  ///
  /// - Parameter results: of ``statements``.
  static func messages(in results: ArraySlice<Rows>) throws -> [Placed] {
    var results = results
    let rows = results.removeFirst()
    let reactions = try ReactionCounts.byMessage(in: results.removeFirst())
    let participants = try lists(of: "user_id", by: "parent", in: results.removeFirst())
    let own = try lists(of: "reaction", by: "message", in: results.removeFirst())
    let answers = try PollAnswers(results.removeFirst())
    return try rows.map { row in
      var placed = try row.decode(Placed.self)
      placed.message.quoted = try quoted(by: placed.message, in: row)
      placed.message.poll = placed.message.poll.map { answers.shown($0, of: placed.message.id) }
      placed.message.participants = participants[placed.message.id]
      placed.message.reactions = reactions[placed.message.id]
      placed.message.ownReactions = own[placed.message.id]
      return placed
    }
  }

  private static func lists(
    of column: String, by key: String, in rows: Rows
  ) throws -> [String: [String]] {
    var lists: [String: [String]] = [:]
    for row in rows {
      lists[try row[key, String.self], default: []].append(try row[column, String.self])
    }
    return lists
  }

  private static func quoted(by message: Message, in row: Row) throws -> QuotedMessage? {
    guard let id = message.quotedID,
      let createdAt = try row["quoted_created_at", Timestamp?.self]
    else { return nil }
    let deletedAt = try row["quoted_deleted_at", Timestamp?.self]
    return QuotedMessage(
      id: id, userID: try row["quoted_user_id", String.self],
      text: deletedAt == nil ? try row["quoted_text", String.self] : nil, createdAt: createdAt,
      deletedAt: deletedAt)
  }
}

extension ChatShard {
  /// A message as it is answered; as it is given when it is not there any more.
  func shown(_ message: Message, to viewer: String?) async throws -> Message {
    let results = try await context.store.read(
      MessageScope.message(message.id, viewer: viewer).statements)
    guard let now = try MessageScope.messages(in: results[...]).first?.message else {
      return message
    }
    var shown = message
    shown.quoted = now.quoted
    shown.poll = now.poll
    shown.replyCount = now.replyCount
    shown.latestReplyAt = now.latestReplyAt
    shown.participants = now.participants
    shown.pinnedAt = now.pinnedAt
    shown.pinnedBy = now.pinnedBy
    shown.reactions = now.reactions
    shown.ownReactions = now.ownReactions
    return shown
  }
}
