internal import PluginKit

/// What a message is to say instead.
struct Change: Decodable {
  let text: String?
  /// An empty list leaves none.
  let attachments: RawJSON?
  let mentions: [String]?
  let custom: RawJSON?
  let userID: String?

  private enum CodingKeys: String, CodingKey {
    case text, attachments, mentions, custom
    case userID = "user_id"
  }
}

/// `PATCH /v1/messages/{id}`: by whoever has sent it, and by the app's server.
extension ChatShard {
  func editMessage(_ request: Request) async throws -> Response {
    try .json(
      try await edit(
        try request.parameter(0), try request.decode(), for: AppActor(request.principal)))
  }

  /// How often a change is tried while others change the rest of the message.
  static let attempts = 8

  /// Changes what a message says, in the channel's history too. One that says it already is not changed.
  ///
  /// What the change does not give must still be as it was read, so that neither the message nor its event
  /// takes back what somebody else changes at the same time.
  func edit(_ id: String, _ change: Change, for actor: AppActor) async throws -> Message {
    let (hasText, hasCustom) = (change.text != nil, change.custom != nil)
    let (hasAttachments, hasMentions) = (change.attachments != nil, change.mentions != nil)
    guard hasText || hasCustom || hasAttachments || hasMentions else {
      throw Problem.invalid("Say what is to change: text, attachments, mentions or custom.")
    }
    for _ in 0..<Self.attempts {
      let found = try await own(
        id, as: change.userID, at: "/user_id", for: actor, .editOwnMessage, others: .editAnyMessage)
      if let text = change.text { try found.type.check(text: text) }
      let was = found.message
      var message = was
      message.text = change.text ?? was.text
      if let attachments = change.attachments { message.attachments = try attachments.asList() }
      if let mentions = change.mentions { message.mentions = try Mentions.checked(mentions) }
      message.custom = change.custom ?? was.custom
      try message.requireContent()
      guard !message.hasContent(of: was) else { return try await shown(was, to: actor.user) }
      let linked =
        hasAttachments
        ? try await link(
          message.attachments, of: actor.user == nil ? nil : was.userID,
          keeping: was.attachments) : Linked(attachments: was.attachments)
      if !linked.uploads.isEmpty {
        try await admitUploads(of: actor, to: found.address, found.type)
      }
      message.attachments = linked.attachments
      // What it links to is known from the attachments that were read.
      let replacesAttachments =
        try hasAttachments && Attachments(was.attachments).uploads.isEmpty
      let passed = try await pass(
        message, isEdit: true, in: found.address, found.type, for: actor,
        who: found.permission(.editOwnMessage, others: .editAnyMessage))
      guard !passed.isHeld else {
        throw Problem.forbidden("The message may not be changed to say this.")
      }
      message = passed.message
      let now = try context.clock.now()
      message.updatedAt = now
      let known = Set((was.mentions ?? []).map(ExactText.init))
      let mentioned = (message.mentions ?? []).filter {
        !known.contains(ExactText($0)) && !$0.isExactly(message.userID)
      }
      var batch = Batch()
      Self.keepVersion(of: id, at: now, by: actor, &batch)
      let changing = batch.add(
        SQL(
          """
          UPDATE chat_messages
          SET text = \(message.text), attachments = \(message.attachments),
            mentions = \(try message.mentionsJSON), custom = \(message.custom),
            updated_at = \(message.updatedAt)
          WHERE id = \(id) AND deleted_at IS NULL
            AND (\(hasText) = 1 OR text = \(was.text))
            AND (\(replacesAttachments) = 1 OR coalesce(attachments, '') = \(was.attachments?.text ?? ""))
            AND (\(hasMentions) = 1 OR coalesce(mentions, '') = \(try was.mentionsJSON?.text ?? ""))
            AND (\(hasCustom) = 1 OR coalesce(custom, '') = \(was.custom?.text ?? ""))
          """
        ).expect(exactly: 1))
      let allowing = found.still(.editOwnMessage, others: .editAnyMessage, at: now).map {
        batch.add($0)
      }
      let uploading =
        linked.uploads.isEmpty
        ? nil
        : found.address.still(.upload, actor, found.type, at: now).map { batch.add($0) }
      let linking = Self.keepUploads(linked.uploads, of: message, &batch)
      if !Mentions.areSame(message.mentions, was.mentions) {
        batch.add(
          """
          DELETE FROM chat_mentions WHERE message = \(id)
            AND user_id NOT IN (\(each: [""] + (message.mentions ?? [])))
          """)
        Self.keepMentions(of: message, &batch)
        Self.follow(mentioned, of: id, at: now, &batch)
      }
      try keep(passed.flags, of: message, in: found.address, &batch)
      batch.emit(
        try Emit(
          "chat.message.updated", channel: found.address.realTimeName, replacing: id,
          data: message.published))
      do {
        try await context.store.commit(batch)
        if message.silent == nil {
          tell(mentioned, of: message.published, in: found.address, found.type)
        }
        if !mentioned.isEmpty { tellUnread(inThreadOf: was.parentID ?? id, found.address) }
        return try await shown(message, to: actor.user)
      } catch StoreError.conflict(statement: changing, _) {
        // It is gone or has been changed; which, is seen when it is read again.
      } catch StoreError.conflict(statement: let failed?, _) where failed == linking {
        throw Self.uploadsGone()
      } catch StoreError.conflict(statement: let failed?, _)
        where failed == allowing || failed == uploading
      {
        // The actor is not any more who he was; so too.
      }
    }
    throw Problem.conflict("The message \"\(id)\" is being changed by others; try again.")
  }

  /// A message that the actor may change: a user by what he may do with his own or with others', a server any, or that of the user whom it
  /// names.
  ///
  /// - Parameter pointer: where the request names the user.
  func own(
    _ id: String, as named: String?, at pointer: String, for actor: AppActor, _ own: Permission,
    others: Permission, evenDeleted: Bool = false
  ) async throws -> Found {
    let user =
      actor.user == nil && named == nil ? nil : try actor.acting(as: named, pointer: pointer)
    let found = try await find(message: id, for: actor, evenDeleted: evenDeleted)
    guard actor.user != nil || user?.isExactly(found.message.userID) ?? true else {
      throw Problem.forbidden("Only its author may change or delete a message.")
    }
    try found.access.require(found.permission(own, others: others))
    return found
  }
}

extension Found {
  /// What the actor needs for this message.
  func permission(_ own: Permission, others: Permission) -> Permission {
    access.actor.isUser(message.userID) ? own : others
  }

  /// As `ChannelAddress.still`, for what the actor needs for this message.
  func still(_ own: Permission, others: Permission, at now: Timestamp) -> SQL? {
    address.still(permission(own, others: others), access.actor, type, at: now)
  }
}
