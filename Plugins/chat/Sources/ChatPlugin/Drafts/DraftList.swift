internal import PluginKit

/// `GET /v1/drafts?user_id=&after=&limit=`: a user's drafts in the channels that he may read, the latest first.
extension ChatShard {
  func listDrafts(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).acting(
      as: request.query("user_id"), pointer: "/query/user_id")
    let limit = try request.limit()
    let after = try request.query("after").map { try DraftCursor($0) }
    let drafts: [SavedDraft] = try await context.store.read(
      """
      SELECT \(raw: SavedDraft.columns) FROM chat_drafts d
      WHERE d.user_id = \(user) AND \(readable("d", by: user))
        AND d.type IN (\(each: types.names(with: .drafts)))
        AND (d.updated_at, d.type, d.channel, d.parent)
          < (\(after?.at ?? .max), \(after?.address.type ?? ""), \(after?.address.id ?? ""), \(after?.parent ?? ""))
      ORDER BY d.updated_at DESC, d.type DESC, d.channel DESC, d.parent DESC LIMIT \(limit + 1)
      """
    ).decode()
    let page = Array(drafts.prefix(limit))
    return try .json(
      Page(
        data: page, next: drafts.count > limit ? page.last.map { DraftCursor.text(of: $0) } : nil))
  }
}

/// Where a list of drafts goes on: time, channel and thread.
struct DraftCursor {
  /// Unix milliseconds.
  let at: Int64
  let address: ChannelAddress
  /// Empty for the channel's own.
  let parent: String

  /// - Throws: `Problem` 400 when it is not what `next` said.
  init(_ text: String) throws {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, let at = Int64(parts[0]), at >= 0,
      let address = ChannelAddress(type: parts[1], id: parts[2]),
      parts[3].isEmpty || Identifier.isValid(parts[3])
    else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    self.at = at
    self.address = address
    parent = parts[3]
  }

  /// As `next`.
  static func text(of draft: SavedDraft) -> String {
    "\(draft.updatedAt.unixMilliseconds):\(draft.channel):\(draft.parentID ?? "")"
  }
}
