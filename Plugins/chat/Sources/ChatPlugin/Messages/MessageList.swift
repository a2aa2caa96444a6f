internal import PluginKit

/// A list of messages that is read in pages, in the order in which they were committed.
struct MessageList {
  /// What it is of, for people.
  let name: String
  /// Which of `chat_messages x` stand in it, without those that are deleted.
  let members: Fragment
  /// Which of `chat_messages a` it may begin at, deleted or not.
  let anchors: Fragment

  /// What a channel shows.
  static func channel(_ address: ChannelAddress) -> MessageList {
    MessageList(
      name: "\(address)",
      members: "x.type = \(address.type) AND x.channel = \(address.id) AND x.listed = 1",
      anchors: "a.type = \(address.type) AND a.channel = \(address.id)")
  }

  func place(of id: String) -> Fragment {
    "SELECT a.seq FROM chat_messages a WHERE a.id = \(id) AND \(anchors)"
  }

  private func older(_ than: Fragment, _ count: Int, inclusive: Bool = false) -> Fragment {
    """
    SELECT x.id FROM chat_messages x WHERE \(members) AND x.deleted_at IS NULL
      AND x.seq \(raw: inclusive ? "<=" : "<") \(than) ORDER BY x.seq DESC LIMIT \(count)
    """
  }

  private func newer(_ than: Fragment, _ count: Int) -> Fragment {
    """
    SELECT x.id FROM chat_messages x WHERE \(members) AND x.deleted_at IS NULL
      AND x.seq > \(than) ORDER BY x.seq LIMIT \(count)
    """
  }

  /// What is read for a page, each side with one message more than it shows.
  fileprivate func scope(
    _ start: MessageStart, _ limit: Int, for viewer: String?
  ) -> MessageScope {
    switch start {
    case .cursor(.older(let seq)):
      MessageScope(ids: older("\(seq)", limit + 1), viewer: viewer)
    case .before(let id): MessageScope(ids: older("(\(place(of: id)))", limit + 1), viewer: viewer)
    case .cursor(.newer(let seq)):
      MessageScope(ids: newer("\(seq)", limit + 1), order: "m.seq", viewer: viewer)
    case .after(let id):
      MessageScope(ids: newer("(\(place(of: id)))", limit + 1), order: "m.seq", viewer: viewer)
    case .around(let id):
      MessageScope(
        ids: """
          SELECT o.id FROM (\(older("(\(place(of: id)))", Self.older(limit) + 1, inclusive: true)))
            AS o
          UNION ALL SELECT n.id FROM (\(newer("(\(place(of: id)))", limit - Self.older(limit) + 1)))
            AS n
          """, order: "m.seq", viewer: viewer)
    }
  }

  fileprivate func anchor(_ id: String) -> SQL { "\(place(of: id))" }

  /// How many of the messages around one are that one and those before it.
  fileprivate static func older(_ limit: Int) -> Int { (limit + 1) / 2 }
}

/// A page of messages.
struct MessagePage: Encodable {
  let data: [Message]
  /// Goes on after the last of them; null when nothing does.
  let next: String?
  /// Goes back before the first of them; null when nothing is there. In pages around a message alone.
  var previous: String??
  /// Where the channel's events stood before the page was read.
  var place: EventPlace

  private enum CodingKeys: String, CodingKey { case data, next, previous, offset, epoch }

  func encode(to encoder: any Encoder) throws {
    var page = encoder.container(keyedBy: CodingKeys.self)
    try page.encode(data, forKey: .data)
    try page.encode(next, forKey: .next)
    if let previous { try page.encode(previous, forKey: .previous) }
    try page.encode(place.offset, forKey: .offset)
    try page.encode(place.epoch, forKey: .epoch)
  }
}

extension ChatShard {
  /// A page of a list, read in one snapshot.
  ///
  /// - Parameters:
  ///   - address: the channel in which the list stands.
  ///   - viewer: whose own reactions are shown.
  ///   - held: what stands in it for the viewer alone, but not in pages around a message.
  /// - Throws: `Problem` 400 when it is to begin at a message that is not of the list.
  func page(
    _ start: MessageStart, of list: MessageList, in address: ChannelAddress, limit: Int,
    for viewer: String?, with held: HeldList? = nil
  ) async throws -> MessagePage {
    let place = try await eventPlace(of: address)
    let anchor = start.anchor
    let statements = list.scope(start, limit, for: viewer).statements
    let results = try await context.store.read(
      statements + (anchor.map { [list.anchor($0.id)] } ?? [])
        + (held.map { [$0.statement(list, start, limit)] } ?? []))
    var found = try MessageScope.messages(in: results[..<MessageScope.count])
    if held != nil, let rows = results.last, !rows.isEmpty {
      found = try HeldList.merge(rows, into: found, newestFirst: start.isOlder)
    }
    var middle: Int64 = 0
    if let anchor {
      guard let seq = try results[MessageScope.count].first?["seq", Int64.self] else {
        throw Problem.invalid(
          pointer: "/query/\(anchor.parameter)",
          "There is no message \"\(anchor.id)\" in \(list.name).")
      }
      middle = seq
    }
    guard case .around = start else {
      let page = found.prefix(limit)
      let cursor = start.isOlder ? MessageCursor.newest : .newer(than: 0)
      return MessagePage(
        data: page.map(\.message),
        next: found.count > limit ? page.last.map { cursor.moved(to: $0.seq).text } : nil,
        place: place)
    }
    let (before, after) = (MessageList.older(limit), limit - MessageList.older(limit))
    let older = found.prefix { $0.seq <= middle }
    let newer = found.dropFirst(older.count)
    let page = older.suffix(before) + newer.prefix(after)
    return MessagePage(
      data: page.map(\.message),
      next: newer.count > after ? MessageCursor.newer(than: page.last?.seq ?? middle).text : nil,
      previous: .some(
        older.count > before ? MessageCursor.older(than: page.first?.seq ?? middle).text : nil),
      place: place)
  }
}
