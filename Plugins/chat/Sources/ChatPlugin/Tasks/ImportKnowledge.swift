internal import PluginKit

/// What lines of an import refer to, as it is in one snapshot: in the tables, and in the import's own lines.
final class ImportKnowledge {
  /// By `type:id`; whether it has been deleted.
  fileprivate(set) var channels: [String: Bool] = [:]
  /// By id.
  fileprivate(set) var messages: [String: Message] = [:]
  fileprivate(set) var deleted: Set<String> = []
  /// Those that lines link to, by id; nil where the app has no plugin for them.
  fileprivate(set) var uploads: [String: LinkedUpload]? = [:]
  /// Lines of channels and of messages, by what they are referred to by: the first of each.
  fileprivate(set) var channelLines: [String: Int64] = [:]
  fileprivate(set) var messageLines: [String: ImportSlice.Row] = [:]
  /// By `type:id`, of channels that lines bring members to.
  fileprivate var rosters: [String: Roster] = [:]
  /// By line: the last message that is older than the member.
  fileprivate var joinedSeqs: [Int64: Int64] = [:]
  let now: Timestamp
  /// Whether lines are only looked at: then what other lines bring counts as being there.
  let isOnlyLooking: Bool

  init(now: Timestamp, isOnlyLooking: Bool) {
    self.now = now
    self.isOnlyLooking = isOnlyLooking
  }

  /// What a line of the same slice has brought.
  func note(_ channel: String) { channels[channel] = false }
  func note(_ message: Message) { messages[message.id] = message }

  /// Who is in a channel.
  fileprivate struct Roster {
    var count: Int64
    let isDistinct: Bool
    /// Of those that lines name.
    var members: Set<ExactText>
  }

  /// Counts a member that a line brings.
  ///
  /// - Returns: whether he comes with it.
  /// - Throws: `Problem` when he cannot come.
  func admit(_ user: String, to address: ChannelAddress, _ type: ChannelType) throws -> Bool {
    var roster =
      rosters["\(address)"] ?? Roster(count: 0, isDistinct: false, members: [])
    guard roster.members.insert(ExactText(user)).inserted else { return false }
    guard !roster.isDistinct else {
      throw Problem.invalid("\(address) is the one channel of its members, who stay the same.")
    }
    guard roster.count < Int64(type.maxMembers) else { throw address.isFull(type) }
    roster.count += 1
    rosters["\(address)"] = roster
    return true
  }

  /// What a member of a line has not to read.
  func joinedSeq(ofLine number: Int64) -> Int64 { joinedSeqs[number] ?? 0 }

  /// - Throws: `Problem` when there is no such channel.
  func require(_ address: ChannelAddress) throws {
    if isOnlyLooking, channelLines["\(address)"] != nil, channels["\(address)"] == nil { return }
    guard let isDeleted = channels["\(address)"] else {
      throw Problem.invalid("There is no channel \(address).")
    }
    guard !isDeleted else { throw Problem.invalid("\(address) has been deleted.") }
  }
}

extension ChatShard {
  /// Reads what some lines refer to.
  func known(to rows: some Sequence<ImportSlice.Row>, of task: TaskRecord) async throws
    -> ImportKnowledge
  {
    let known = ImportKnowledge(now: try context.clock.now(), isOnlyLooking: task.stage == 0)
    var (channels, messages): (Set<String>, Set<String>) = ([], [])
    var members: [(number: Int64, line: ImportLine.Membership)] = []
    var uploads: Set<String> = []
    for row in rows {
      switch try? ImportLine(row.line) {
      case .channel(let line): channels.insert(line.channel)
      case .message(let line):
        channels.insert(line.channel)
        messages.formUnion([line.id, line.parentID, line.quotedID].compactMap { $0 })
        if let linked = try? Attachments(line.attachments) {
          uploads.formUnion(linked.uploads.map(\.id))
        }
      case .reaction(let line): messages.insert(line.messageID)
      case .member(let line):
        channels.insert(line.channel)
        members.append((row.number, line))
      case .read(let line):
        channels.insert(line.channel)
        messages.insert(line.messageID)
      case nil: break
      }
    }
    let results = try await context.store.read([
      """
      SELECT type || ':' || id AS channel, CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS is_deleted
      FROM chat_channels WHERE (type, id) IN (VALUES \(Self.addresses(channels)))
      """,
      """
      SELECT \(raw: Message.columns), m.deleted_at FROM chat_messages m
      WHERE m.id IN (\(each: messages.sorted() + [""]))
      """,
      """
      SELECT name, min(number) AS number FROM chat_import_lines
      WHERE task = \(task.id) AND turn = 0 AND name IN (\(each: channels.sorted() + [""])) GROUP BY name
      """,
      """
      SELECT l.name, l.number, l.turn, l.line FROM (
        SELECT name, min(number) AS number FROM chat_import_lines
        WHERE task = \(task.id) AND turn = 1 AND name IN (\(each: messages.sorted() + [""]))
        GROUP BY name) AS f
      JOIN chat_import_lines l ON l.task = \(task.id) AND l.number = f.number
      """,
    ])
    for row in results[0] {
      known.channels[try row["channel", String.self]] = try row["is_deleted", Bool.self]
    }
    for row in results[1] {
      let message = try row.decode(Message.self)
      known.messages[message.id] = message
      if try row["deleted_at", Timestamp?.self] != nil { known.deleted.insert(message.id) }
    }
    for row in results[2] {
      known.channelLines[try row["name", String.self]] = try row["number", Int64.self]
    }
    for row in results[3] {
      known.messageLines[try row["name", String.self]] = try row.decode(ImportSlice.Row.self)
    }
    try await learn(members, known)
    if !uploads.isEmpty { known.uploads = try await findUploads(uploads.sorted()) }
    return known
  }

  /// How many messages of a channel are looked at for the last that is older than a member.
  private static let looked = 5_000

  /// Reads what members come to. The last message before each is found here, and not while others wait to write.
  private func learn(
    _ members: [(number: Int64, line: ImportLine.Membership)], _ known: ImportKnowledge
  ) async throws {
    let placed = Dictionary(grouping: members) { try? channel($0.line.channel, at: "").0 }
    for case (let address?, let those) in placed {
      let users = Set(those.map { ExactText($0.line.userID) }).sorted().map(\.text)
      var statements: [SQL] = [
        """
        SELECT (SELECT count(*) FROM chat_members m
            WHERE m.type = \(address.type) AND m.channel = \(address.id)) AS members,
          EXISTS (SELECT 1 FROM chat_channels c WHERE c.type = \(address.type)
            AND c.id = \(address.id) AND c.distinct_key IS NOT NULL) AS is_distinct
        """,
        """
        SELECT user_id FROM chat_members WHERE type = \(address.type)
          AND channel = \(address.id) AND user_id IN (\(each: users))
        """,
      ]
      if !known.isOnlyLooking {
        statements += those.map {
          address.lastSeq(before: $0.line.createdAt ?? known.now, Self.looked)
        }
      }
      let results = try await context.store.read(statements)
      known.rosters["\(address)"] = ImportKnowledge.Roster(
        count: try results[0].first?["members", Int64.self] ?? 0,
        isDistinct: try results[0].first?["is_distinct", Bool.self] ?? false,
        members: Set(try results[1].map { ExactText(try $0["user_id", String.self]) }))
      for (each, rows) in zip(those, results.dropFirst(2)) {
        known.joinedSeqs[each.number] = try rows.first?["seq", Int64.self] ?? 0
      }
    }
  }

  private static func addresses(_ names: Set<String>) -> Fragment {
    var list: Fragment = "('', '')"
    for name in names.sorted() {
      let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      list = "\(list), (\(String(parts[0])), \(String(parts[1])))"
    }
    return list
  }
}

extension ChannelAddress {
  /// The place of the last message that was sent until a time, of so many of the newest; what is before those is old.
  fileprivate func lastSeq(before time: Timestamp, _ looked: Int) -> SQL {
    """
    SELECT coalesce(
      (SELECT s.seq FROM (SELECT x.seq, x.created_at FROM chat_messages x
          WHERE x.type = \(type) AND x.channel = \(id) ORDER BY x.seq DESC LIMIT \(looked)) AS s
        WHERE s.created_at <= \(time) ORDER BY s.seq DESC LIMIT 1),
      (SELECT x.seq FROM chat_messages x WHERE x.type = \(type) AND x.channel = \(id)
        ORDER BY x.seq DESC LIMIT 1 OFFSET \(looked)), 0) AS seq
    """
  }
}
