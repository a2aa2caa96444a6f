internal import PluginKit

/// Messages that link to uploads.
extension ChatShard {
  /// What attachments come to, with the uploads that they link to from here on.
  struct Linked {
    let attachments: RawJSON?
    var uploads: [LinkedUpload] = []
  }

  /// Looks up what attachments link to.
  ///
  /// - Parameters:
  ///   - author: whose uploads they have to be; nil for anybody's, where the app's server or another plugin says so.
  ///   - before: attachments that the message has already: what they link to stays.
  /// - Throws: `Problem` 400 at the attachment whose upload is none, or another's; 503.
  func link(
    _ attachments: RawJSON?, of author: String?, keeping before: RawJSON? = nil
  ) async throws -> Linked {
    let list = try Attachments(attachments)
    let kept = try Attachments(before).linked
    let wanted = list.uploads.filter { kept[$0.id] == nil }
    guard let first = wanted.first else {
      return Linked(attachments: try list.linked(to: [:], keeping: kept))
    }
    guard let found = try await uploads(wanted.map(\.id)) else {
      throw Self.noUploads(at: "/attachments/\(first.index)/upload")
    }
    for (id, index) in wanted {
      guard let upload = found[id], author.map({ upload.userID.isExactly($0) }) ?? true else {
        throw Self.noUpload(id, at: "/attachments/\(index)/upload")
      }
    }
    return Linked(
      attachments: try list.linked(to: found, keeping: kept),
      uploads: wanted.compactMap { found[$0.id] })
  }

  static func noUploads(at pointer: String) -> Problem {
    .invalid(pointer: pointer, "The app has no uploads: its plugin \"uploads\" is off.")
  }

  /// One text for what is not there and what is another's, so that nobody learns which.
  static func noUpload(_ id: String, at pointer: String) -> Problem {
    .invalid(pointer: pointer, "The user has no upload \"\(id)\".")
  }

  /// A new message with what it links to, or what was sent before with its id, also when its uploads are gone meanwhile.
  enum Linking {
    case linked(Message, [LinkedUpload])
    case sent(Message)
  }

  /// - Parameter isNamed: whether the client has said the message's id, so that it may have been sent before.
  /// - Throws: `Problem` 400 as ``link(_:of:keeping:)`` does; 403 where the actor may not `upload`; 409 when another message has the id.
  func link(
    _ message: Message, isNamed: Bool, in address: ChannelAddress, _ type: ChannelType,
    for actor: AppActor
  ) async throws -> Linking {
    guard try !Attachments(message.attachments).uploads.isEmpty else { return .linked(message, []) }
    if isNamed, let earlier = try await earlier(message, for: actor) { return .sent(earlier) }
    try await admitUploads(of: actor, to: address, type)
    let linked = try await link(
      message.attachments, of: actor.user == nil ? nil : message.userID)
    var message = message
    message.attachments = linked.attachments
    return .linked(message, linked.uploads)
  }

  private func earlier(_ message: Message, for actor: AppActor) async throws -> Message? {
    if let held = try await held(message.id, by: actor) {
      guard held.hasContent(of: message) else { throw Self.taken(message.id) }
      return held
    }
    guard try await !context.store.read(Message.find(message.id, evenDeleted: true)).isEmpty else {
      return nil
    }
    return try await repeated(message, for: actor)
  }

  static func taken(_ id: String) -> Problem {
    .conflict("Another message has the id \"\(id)\" already.")
  }

  /// - Throws: `Problem` 404 where there is no such channel; 403 where the actor may not link to uploads there. Who is banned without his
  ///   knowing may by what his role may.
  func admitUploads(
    of actor: AppActor, to address: ChannelAddress, _ type: ChannelType
  ) async throws {
    let access = try await access(actor, address, type)
    if access.ban?.isShadow == true, type.grants.allows(access.role, .upload) { return }
    try access.require(.upload)
  }

  /// By what a held message is known among those that link to uploads: no message's id, since one that is sent may have the same.
  static func holder(ofHeld id: String) -> String { "held:\(id)" }

  /// Keeps what a message links to, in its batch.
  ///
  /// - Parameter holder: by what the message is known there; nil for its id.
  /// - Returns: the number of the statement that fails when an upload of them is to go.
  static func keepUploads(
    _ uploads: [LinkedUpload], of message: Message, as holder: String? = nil, _ batch: inout Batch
  ) -> Int? {
    guard !uploads.isEmpty else { return nil }
    var values: Fragment = ""
    for (index, upload) in uploads.enumerated() {
      if index > 0 { values = "\(values), " }
      values =
        "\(values)(\(holder ?? message.id), \(upload.id), \(upload.userID), \(upload.userID.isExactly(message.userID)))"
    }
    batch.add(
      """
      INSERT INTO chat_uploads (message, upload, user_id, own) VALUES \(values)
      ON CONFLICT (message, upload) DO NOTHING
      """)
    return batch.add(
      SQL(
        """
        SELECT 1 AS are_there WHERE NOT EXISTS (
          SELECT 1 FROM chat_upload_ends WHERE upload IN (\(each: uploads.map(\.id))))
        """
      ).expect(exactly: 1))
  }

  /// Why a batch with ``keepUploads(_:of:_:)`` came to nothing: an upload went meanwhile.
  static func uploadsGone() -> Problem {
    .invalid(pointer: "/attachments", "An upload of these has been deleted meanwhile.")
  }
}
