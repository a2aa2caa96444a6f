internal import PluginKit

/// `GET /v1/search?q=&channel=&author=&user_id=&after=&limit=`: messages that say something, the latest first, of channels that the user
/// may read.
extension ChatShard {
  /// How many messages with the words are looked at for a page. Where most are not for the user a page has fewer than its limit, and goes
  /// on all the same.
  static let searched = 2_000

  func search(_ request: Request) async throws -> Response {
    let query = try SearchQuery(request.query("q") ?? "")
    let limit = try request.limit()
    guard let after = request.query("after").map({ Int64($0) }) ?? .max else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    let actor = try AppActor(request.principal)
    let named = request.query("user_id")
    let user =
      actor == .server && named == nil
      ? nil : try actor.acting(as: named, pointer: "/query/user_id")
    var condition: Fragment = """
      m.deleted_at IS NULL AND \(readable("m", by: user))
        AND m.type IN (\(each: types.names(with: .search)))
      """
    if let name = request.query("channel") {
      let (address, type) = try channel(name, at: "/query/channel")
      try type.require(.search, in: address)
      try await admit(user.map { .user($0) } ?? .server, to: address, type, for: .readChannel)
      condition = "\(condition) AND m.type = \(address.type) AND m.channel = \(address.id)"
    }
    if let author = request.query("author") {
      condition = "\(condition) AND m.user_id = \(author)"
    }
    let seen: Fragment = """
      SELECT rowid AS number FROM chat_search WHERE chat_search MATCH \(query.match)
        AND rowid < \(after) ORDER BY rowid DESC LIMIT \(Self.searched)
      """
    let numbered: Fragment = """
      SELECT m.id, s.number FROM (\(seen)) AS s
      JOIN chat_search_rows r ON r.number = s.number JOIN chat_messages m ON m.id = r.message
      WHERE \(condition) ORDER BY s.number DESC LIMIT \(limit + 1)
      """
    let scope = MessageScope(
      ids: "SELECT f.id FROM (\(numbered)) AS f",
      order: "(SELECT o.number FROM chat_search_rows o WHERE o.message = m.id) DESC", viewer: user)
    let results = try await context.store.read(
      scope.statements + [
        "SELECT id, number FROM (\(numbered)) AS f ORDER BY number DESC",
        "SELECT count(*) AS seen, min(number) AS last FROM (\(seen)) AS s",
      ])
    let found = try MessageScope.messages(in: results[..<MessageScope.count]).map(\.message)
    let numbers = try results[MessageScope.count].map { try $0["number", Int64.self] }
    var next: Int64?
    if found.count > limit {
      next = numbers[limit - 1]
    } else if let looked = results[MessageScope.count + 1].first,
      try looked["seen", Int.self] == Self.searched
    {
      next = try looked["last", Int64?.self]
    }
    return try .json(Page(data: Array(found.prefix(limit)), next: next.map { "\($0)" }))
  }
}
