internal import PluginKit

/// What lines of an import refer to, as it is in one snapshot: in the tables, and in the import's own lines.
final class ImportKnowledge {
  /// By `type:id`; whether it has been deleted.
  fileprivate(set) var channels: [String: Bool] = [:]
  /// By id.
  fileprivate(set) var messages: [String: Message] = [:]
  fileprivate(set) var deleted: Set<String> = []
  /// Lines of channels and of messages, by what they are referred to by: the first of each.
  fileprivate(set) var channelLines: [String: Int64] = [:]
  fileprivate(set) var messageLines: [String: ImportSlice.Row] = [:]
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
  func known(to rows: [ImportSlice.Row], of task: TaskRecord) async throws -> ImportKnowledge {
    let known = ImportKnowledge(now: try context.clock.now(), isOnlyLooking: task.stage == 0)
    var (channels, messages): (Set<String>, Set<String>) = ([], [])
    for row in rows {
      switch try? ImportLine(row.line) {
      case .channel(let line): channels.insert(line.channel)
      case .message(let line):
        channels.insert(line.channel)
        messages.formUnion([line.id, line.parentID, line.quotedID].compactMap { $0 })
      case .reaction(let line): messages.insert(line.messageID)
      case .member(let line): channels.insert(line.channel)
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
    return known
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
