internal import PluginKit

/// `GET /v1/channels/{type}/{id}/messages?before=&after=&limit=` and `GET /v1/messages/{id}`
extension ChatShard {
  /// A message and its place.
  private struct Placed: Decodable {
    let message: Message
    let seq: Int64

    private enum CodingKeys: String, CodingKey { case seq }

    init(from decoder: any Decoder) throws {
      message = try Message(from: decoder)
      seq = try decoder.container(keyedBy: CodingKeys.self).decode(Int64.self, forKey: .seq)
    }
  }

  func listMessages(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let actor = try Actor(request.principal)
    let limit = try request.limit()
    let start = try MessageStart(before: request.query("before"), after: request.query("after"))
    try await admit(actor, to: address, type, for: .readChannel)
    let cursor = try await locate(start, in: address)
    let found: [Placed] = try await context.store.read(
      Self.messages(from: cursor, in: address, limit + 1)
    ).decode()
    let page = found.prefix(limit)
    let next = found.count > limit ? page.last.map { cursor.moved(to: $0.seq).text } : nil
    return try .json(Page(data: try await counted(page.map(\.message)), next: next))
  }

  func readMessage(_ request: Request) async throws -> Response {
    let found = try await find(
      message: try request.parameter(0), for: Actor(request.principal))
    return try .json(try await counted(found.message))
  }

  private func locate(
    _ start: MessageStart, in address: ChannelAddress
  ) async throws -> MessageCursor {
    let (id, parameter): (String, String)
    switch start {
    case .cursor(let cursor): return cursor
    case .before(let message): (id, parameter) = (message, "before")
    case .after(let message): (id, parameter) = (message, "after")
    }
    let row = try await context.store.read(
      """
      SELECT seq FROM chat_messages
      WHERE id = \(id) AND type = \(address.type) AND channel = \(address.id)
      """
    ).first
    guard let seq = try row?["seq", Int64.self] else {
      throw Problem.invalid(
        pointer: "/query/\(parameter)", "There is no message \"\(id)\" in \(address).")
    }
    return parameter == "before" ? .older(than: seq) : .newer(than: seq)
  }

  private static func messages(
    from cursor: MessageCursor, in address: ChannelAddress, _ count: Int
  ) -> SQL {
    switch cursor {
    case .older(let seq):
      """
      SELECT \(raw: Message.columns), m.seq FROM chat_messages m
      WHERE m.type = \(address.type) AND m.channel = \(address.id) AND m.seq < \(seq)
        AND m.deleted_at IS NULL
      ORDER BY m.seq DESC LIMIT \(count)
      """
    case .newer(let seq):
      """
      SELECT \(raw: Message.columns), m.seq FROM chat_messages m
      WHERE m.type = \(address.type) AND m.channel = \(address.id) AND m.seq > \(seq)
        AND m.deleted_at IS NULL
      ORDER BY m.seq LIMIT \(count)
      """
    }
  }
}

/// Where a client wants a list of messages to begin.
enum MessageStart: Equatable {
  case cursor(MessageCursor)
  /// A message's id.
  case before(String)
  case after(String)

  /// - Throws: `Problem` 400 when both are given, or one is neither a message's id nor a cursor.
  init(before: String?, after: String?) throws {
    switch (before, after) {
    case (nil, nil): self = .cursor(.newest)
    case (.some, .some):
      throw Problem.invalid(pointer: "/query/before", "Give before or after, not both.")
    case (let text?, nil): self = try Self.read(text, "before", MessageStart.before)
    case (nil, let text?): self = try Self.read(text, "after", MessageStart.after)
    }
  }

  private static func read(
    _ text: String, _ name: String, _ start: (String) -> MessageStart
  ) throws -> MessageStart {
    if let cursor = MessageCursor(text) { return .cursor(cursor) }
    guard Identifier.isValid(text) else {
      throw Problem.invalid(
        pointer: "/query/\(name)",
        "\(name) is a message's id, or what \"next\" of the page before said.")
    }
    return start(text)
  }
}
