internal import PluginKit

extension MessageList {
  /// The replies of a thread.
  static func thread(_ parent: String) -> MessageList {
    MessageList(
      name: "the thread of \"\(parent)\"", members: "x.parent = \(parent)",
      anchors: "a.parent = \(parent)")
  }
}

/// `GET /v1/messages/{id}/replies?before=&after=&around=&limit=` and `GET /v1/threads?user_id=&after=&limit=`
extension ChatShard {
  /// A thread, as it is listed.
  struct Thread: Encodable {
    /// The message that began it.
    let message: Message
    /// Replies of others that the user has not read, counted up to `ReadMark.limit`.
    let unread: Int
  }

  /// How many of a user's threads are looked at: those that he came to last.
  static let threads = 1_000

  func listReplies(_ request: Request) async throws -> Response {
    let limit = try request.limit()
    let start = try MessageStart(request)
    let parent = try request.parameter(0)
    let actor = try AppActor(request.principal)
    let address = try await findThread(of: parent, for: actor).address
    return try .json(
      try await page(start, of: .thread(parent), in: address, limit: limit, for: actor.user))
  }

  func listThreads(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let after = try request.query("after").map { try TimedCursor($0) }
    let scope = MessageScope(
      ids: """
        SELECT p.id FROM (
          SELECT parent FROM chat_thread_members WHERE user_id = \(user) AND follows = 1
          ORDER BY since DESC, parent DESC LIMIT \(Self.threads)
        ) AS t JOIN chat_messages p ON p.id = t.parent
        WHERE p.deleted_at IS NULL AND p.reply_count > 0 AND \(readable("p", by: user))
          AND p.type IN (\(each: types.names(with: .replies)))
          AND (p.latest_reply_at, p.id) < (\(after?.at ?? .max), \(after?.id ?? ""))
        ORDER BY p.latest_reply_at DESC, p.id DESC LIMIT \(limit + 1)
        """, order: "m.latest_reply_at DESC, m.id DESC", viewer: user)
    let results = try await context.store.read(
      scope.statements + [
        """
        SELECT t.parent, \(raw: UnreadSQL.replies) FROM chat_thread_members t
        WHERE t.user_id = \(user) AND t.parent IN (\(scope.ids))
        """
      ])
    var unread: [String: Int] = [:]
    for row in results[MessageScope.count] {
      unread[try row["parent", String.self]] = try row["unread", Int.self]
    }
    let found = try MessageScope.messages(in: results[..<MessageScope.count]).map(\.message)
    let page = found.prefix(limit).map { Thread(message: $0, unread: unread[$0.id] ?? 0) }
    let next = found.count > limit ? page.last?.message : nil
    return try .json(
      Page(
        data: page,
        next: next.map {
          TimedCursor(at: $0.latestReplyAt?.unixMilliseconds ?? 0, id: $0.id).text
        }))
  }

  /// The place of a thread whose message, which is deleted or not, the actor may read.
  ///
  /// - Throws: `Problem` 404, as for a message; 400 when it is a reply.
  @discardableResult
  func findThread(
    of id: String, for actor: AppActor
  ) async throws -> (address: ChannelAddress, type: ChannelType) {
    let gone = Self.noMessage(id)
    guard Identifier.isValid(id),
      let row = try await context.store.read(
        "SELECT type, channel, parent FROM chat_messages WHERE id = \(id)"
      ).first,
      let address = ChannelAddress(
        type: try row["type", String.self], id: try row["channel", String.self]),
      let type = try? types[address.type]
    else { throw gone }
    guard try await access(actor, address, type).allows(.readChannel) else { throw gone }
    try type.require(.replies, in: address)
    if let parent = try row["parent", String?.self] {
      throw Problem.invalid(
        pointer: "/path/id",
        "\"\(id)\" is a reply itself; its thread is that of \"\(parent)\".")
    }
    return (address, type)
  }
}
