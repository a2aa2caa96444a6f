internal import PluginKit

/// What a message said before a change.
struct EarlierVersion: Codable {
  /// Counts the changes of the message from 1.
  let version: Int
  let text: String
  let attachments: RawJSON?
  let mentions: [String]?
  let custom: RawJSON?
  /// Since when the message had said so.
  let saidAt: Timestamp
  let replacedAt: Timestamp
  /// nil when the app's server has changed it.
  let replacedBy: String?

  /// How many are kept of a message: the newest.
  static let limit = 50

  private enum CodingKeys: String, CodingKey {
    case version, text, attachments, mentions, custom
    case saidAt = "said_at"
    case replacedAt = "replaced_at"
    case replacedBy = "replaced_by"
  }
}

/// `GET /v1/messages/{id}/edits?after=&limit=`: for its author, for who may change or delete others' messages, and for the app's server,
/// since it holds what was taken back.
extension ChatShard {
  func listEdits(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let limit = try request.limit()
    guard let after = request.query("after").map({ Int64($0) }) ?? .max else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    let actor = try AppActor(request.principal)
    let found = try await find(message: id, for: actor)
    guard
      actor == .server || actor.isUser(found.message.userID)
        || found.access.allows(.editAnyMessage) || found.access.allows(.deleteAnyMessage)
    else {
      throw Problem.forbidden(
        "What a message said before is for its author, and for who may change or delete it.")
    }
    let versions: [EarlierVersion] = try await context.store.read(
      """
      SELECT version, text, attachments, mentions, custom, said_at, replaced_at, replaced_by
      FROM chat_edits WHERE message = \(id) AND version < \(after)
      ORDER BY version DESC LIMIT \(limit + 1)
      """
    ).decode()
    let page = Array(versions.prefix(limit))
    return try .json(
      Page(data: page, next: versions.count > limit ? page.last.map { "\($0.version)" } : nil))
  }

  /// Keeps what a message says, in the batch that changes it and before the change.
  static func keepVersion(
    of id: String, at now: Timestamp, by actor: AppActor, _ batch: inout Batch
  ) {
    batch.add(
      """
      INSERT INTO chat_edits (message, version, text, attachments, mentions, custom, said_at,
        replaced_at, replaced_by)
      SELECT m.id, coalesce((SELECT max(e.version) FROM chat_edits e WHERE e.message = m.id), 0) + 1,
        m.text, m.attachments, m.mentions, m.custom, coalesce(m.updated_at, m.created_at), \(now),
        \(actor.user)
      FROM chat_messages m WHERE m.id = \(id)
      """)
    batch.add(
      """
      DELETE FROM chat_edits WHERE message = \(id) AND version <= (
        SELECT max(e.version) FROM chat_edits e WHERE e.message = \(id)) - \(EarlierVersion.limit)
      """)
  }
}
