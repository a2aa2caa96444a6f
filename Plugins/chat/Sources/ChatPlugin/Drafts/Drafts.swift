internal import PluginKit

/// `PUT`, `GET` and `DELETE /v1/channels/{type}/{id}/draft?parent_id=`: the user's own, told to his other devices on his own channel.
extension ChatShard {
  private struct Wanted: Decodable {
    let text: String?
    let attachments: RawJSON?
    let mentions: [String]?
    let quotedID: String?
    let custom: RawJSON?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case text, attachments, mentions
      case quotedID = "quoted_id"
      case custom
      case userID = "user_id"
    }
  }

  /// Whose draft a request is about.
  private struct Place {
    let user: String
    let address: ChannelAddress
    let type: ChannelType
    let parent: String?
  }

  func putDraft(_ request: Request) async throws -> Response {
    let wanted: Wanted = try request.decode()
    let place = try await place(request, as: wanted.userID, at: "/user_id")
    let draft = SavedDraft(
      channel: "\(place.address)", parentID: place.parent, text: wanted.text ?? "",
      attachments: try await linked(
        wanted.attachments?.asList(), at: place, for: try AppActor(request.principal)),
      mentions: try Mentions.checked(wanted.mentions),
      quotedID: wanted.quotedID, custom: wanted.custom, updatedAt: try context.clock.now())
    guard !draft.text.isEmpty || draft.attachments != nil else {
      throw Problem.invalid(pointer: "/text", "A draft has a text, or attachments.")
    }
    try place.type.check(text: draft.text)
    try await save(draft, at: place)
    tell("chat.draft.updated", try RawJSON(encoding: draft), to: place.user)
    return try .json(draft)
  }

  func readDraft(_ request: Request) async throws -> Response {
    let place = try await place(request, as: request.query("user_id"), at: "/query/user_id")
    guard let draft = try await draft(at: place) else {
      throw Problem.notFound("There is no draft in \(place.address) here.")
    }
    return try .json(draft)
  }

  private func draft(at place: Place) async throws -> SavedDraft? {
    try await context.store.read(
      """
      SELECT \(raw: SavedDraft.columns) FROM chat_drafts d WHERE d.user_id = \(place.user)
        AND d.type = \(place.address.type) AND d.channel = \(place.address.id)
        AND d.parent = \(place.parent ?? "")
      """
    ).first?.decode(SavedDraft.self)
  }

  /// A draft's attachments with what is known of their uploads. What the draft before it links to stays, also where it is gone meanwhile.
  ///
  /// - Throws: `Problem` 400 for an upload that is not the draft's user's own, since he could not send it; 403 where the actor may not
  ///   `upload`.
  private func linked(
    _ attachments: RawJSON?, at place: Place, for actor: AppActor
  ) async throws -> RawJSON? {
    guard let attachments else { return nil }
    let linked = try await link(
      attachments, of: place.user, keeping: try await draft(at: place)?.attachments)
    if !linked.uploads.isEmpty { try await admitUploads(of: actor, to: place.address, place.type) }
    return linked.attachments
  }

  func deleteDraft(_ request: Request) async throws -> Response {
    let place = try await place(request, as: request.query("user_id"), at: "/query/user_id")
    let commit = try await context.store.commit {
      SQL(
        """
        DELETE FROM chat_drafts WHERE user_id = \(place.user) AND type = \(place.address.type)
          AND channel = \(place.address.id) AND parent = \(place.parent ?? "")
        """)
    }
    if commit.statements[0].changed == 1 {
      let deleted = DeletedDraft(channel: "\(place.address)", parentID: place.parent)
      tell("chat.draft.deleted", try RawJSON(encoding: deleted), to: place.user)
    }
    return .empty()
  }

  private func place(
    _ request: Request, as named: String?, at pointer: String
  ) async throws -> Place {
    let (address, type) = try request.channel(types)
    let actor = try AppActor(request.principal)
    let user = try actor.acting(as: named, pointer: pointer)
    try type.require(.drafts, in: address)
    try await admit(actor, to: address, type, for: .readChannel)
    return Place(user: user, address: address, type: type, parent: request.query("parent_id"))
  }

  private func save(_ draft: SavedDraft, at place: Place) async throws {
    let (address, parent) = (place.address, place.parent)
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO chat_drafts (user_id, type, channel, parent, text, attachments, mentions, quoted,
          custom, updated_at)
        SELECT \(place.user), \(address.type), \(address.id), \(parent ?? ""), \(draft.text),
          \(draft.attachments), \(try draft.mentions.map { try RawJSON(encoding: $0) }),
          \(draft.quotedID), \(draft.custom), \(draft.updatedAt)
        WHERE (SELECT count(*) FROM chat_drafts d WHERE d.user_id = \(place.user)
          AND NOT (d.type = \(address.type) AND d.channel = \(address.id)
            AND d.parent = \(parent ?? ""))) < \(SavedDraft.limit)
        ON CONFLICT (user_id, type, channel, parent) DO UPDATE SET text = excluded.text,
          attachments = excluded.attachments, mentions = excluded.mentions,
          quoted = excluded.quoted, custom = excluded.custom, updated_at = excluded.updated_at
        """
      ).expect(exactly: 1))
    let threaded = parent.map {
      batch.add(
        SQL(
          """
          SELECT 1 AS is_there FROM chat_messages WHERE id = \($0) AND type = \(address.type)
            AND channel = \(address.id) AND parent IS NULL AND deleted_at IS NULL
          """
        ).expect(exactly: 1))
    }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "A user has at most \(SavedDraft.limit) drafts.")
    } catch StoreError.conflict(statement: let failed?, _) where failed == threaded {
      throw try await noParent(parent ?? "", in: address, at: "/query/parent_id")
    }
  }
}
