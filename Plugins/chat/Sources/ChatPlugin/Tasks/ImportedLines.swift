internal import PluginKit

/// What lines of each type bring.
extension ChatShard {
  /// - Throws: `Problem` when there can be no such channel.
  private func place(_ name: String) throws -> (ChannelAddress, ChannelType) {
    try channel(name, at: "")
  }

  private static func check(user: String) throws {
    guard (1...128).contains(user.unicodeScalars.count),
      user.unicodeScalars.allSatisfy({ $0.value > 0x1F && $0.value != 0x7F })
    else {
      throw Problem.invalid("A user's id has 1 to 128 characters, and no control characters.")
    }
  }

  func write(
    _ line: ImportLine.Channel, _ known: ImportKnowledge, _ batch: inout Batch
  ) throws {
    let (address, _) = try place(line.channel)
    if let isDeleted = known.channels["\(address)"] {
      guard !isDeleted else { throw Problem.invalid("\(address) has been deleted.") }
      return
    }
    if let data = line.data {
      guard (try? data.decode([String: RawJSON].self)) != nil else {
        throw Problem.invalid("data is an object.")
      }
    }
    if let user = line.createdBy { try Self.check(user: user) }
    batch.add(
      SQL(
        """
        INSERT INTO chat_channels (type, id, created_by, data, created_at, last_seq, frozen)
        VALUES (\(address.type), \(address.id), \(line.createdBy), \(line.data ?? "{}"),
          \(line.createdAt ?? known.now), 0, \(line.isFrozen ?? false))
        ON CONFLICT DO NOTHING
        """
      ).expect(exactly: 1))
    known.note("\(address)")
  }

  func write(
    _ line: ImportLine.Sent, number: Int64, _ known: ImportKnowledge, _ batch: inout Batch
  ) throws {
    let (address, type) = try place(line.channel)
    var message = try message(line, in: address, type)
    try known.require(address)
    if let there = known.messages[message.id] {
      guard !known.deleted.contains(message.id), there.hasContent(of: message),
        there.createdAt == message.createdAt
      else { throw Problem.invalid("Another message has the id \"\(message.id)\" already.") }
      return
    }
    if known.isOnlyLooking, let first = known.messageLines[message.id], first.number != number {
      throw Problem.invalid("Line \(first.number) has the id \"\(message.id)\" already.")
    }
    if let quoted = line.quotedID { try Self.find(quoted, in: address, before: number, known) }
    if let parent = line.parentID {
      try type.require(.replies, in: address)
      guard try Self.find(parent, in: address, before: number, known) == nil else {
        throw Problem.invalid("\"\(parent)\" is a reply itself, and no thread begins with it.")
      }
    }
    let uploads = try link(&message, known)
    let placed = batch.add(
      SQL(
        """
        UPDATE chat_channels SET last_seq = last_seq + 1,
          last_message_at = CASE WHEN coalesce(last_message_at, 0) > \(message.createdAt)
            THEN last_message_at ELSE \(message.createdAt) END
        WHERE type = \(address.type) AND id = \(address.id) AND deleted_at IS NULL
        RETURNING last_seq
        """
      ).expect(exactly: 1))
    batch.add(try insert(message, in: address, at: placed))
    _ = Self.keepUploads(uploads, of: message, &batch)
    Self.keepMentions(of: message, &batch)
    if let parent = message.parentID {
      _ = Self.keepReply(message, to: parent, in: address, at: placed, &batch)
    }
    known.note(message)
  }

  /// Has a message link to uploads, whoever has them.
  private func link(
    _ message: inout Message, _ known: ImportKnowledge
  ) throws -> [LinkedUpload] {
    let list = try Attachments(message.attachments)
    guard !list.uploads.isEmpty else { return [] }
    guard let found = known.uploads else { throw Self.noUploads(at: "") }
    let uploads = try list.uploads.map { id, _ in
      guard let upload = found[id] else { throw Problem.invalid("There is no upload \"\(id)\".") }
      return upload
    }
    message.attachments = try list.linked(to: found)
    return uploads
  }

  /// What a line refers to has to be there before it.
  ///
  /// - Returns: whose reply it is.
  /// - Throws: `Problem` when there is no such message in the channel.
  @discardableResult
  private static func find(
    _ id: String, in address: ChannelAddress, before number: Int64, _ known: ImportKnowledge
  ) throws -> String? {
    if let there = known.messages[id], !known.deleted.contains(id), there.channel == "\(address)" {
      return there.parentID
    }
    if known.isOnlyLooking, known.messages[id] == nil, let line = known.messageLines[id],
      line.number < number, case .message(let sent) = try? ImportLine(line.line),
      sent.channel == "\(address)"
    {
      return sent.parentID
    }
    throw Problem.invalid("There is no message \"\(id)\" in \(address) before this one.")
  }

  private func message(
    _ line: ImportLine.Sent, in address: ChannelAddress, _ type: ChannelType
  ) throws -> Message {
    guard Identifier.isValid(line.id) else {
      throw Problem.invalid("A message's id is \(Identifier.words).")
    }
    try Self.check(user: line.userID)
    for user in line.mentions ?? [] { try Self.check(user: user) }
    guard line.showInChannel != true || line.parentID != nil else {
      throw Problem.invalid("Only a reply, with parent_id, is shown in the channel too.")
    }
    try type.check(text: line.text ?? "")
    if let attachments = line.attachments { try Self.check(attachments) }
    if let custom = line.custom, (try? custom.decode([String: RawJSON].self)) == nil {
      throw Problem.invalid("custom is an object.")
    }
    let message = Message(
      id: line.id, channel: "\(address)", userID: line.userID, kind: line.kind,
      text: line.text ?? "", attachments: try line.attachments?.asList(),
      mentions: try Mentions.checked(line.mentions), quotedID: line.quotedID,
      parentID: line.parentID, showInChannel: line.showInChannel == true ? true : nil,
      silent: line.silent == true ? true : nil, custom: line.custom, createdAt: line.createdAt,
      updatedAt: line.updatedAt)
    try message.requireContent()
    return message
  }

  /// - Throws: `Problem` when they are not what messages may have.
  private static func check(_ attachments: RawJSON) throws {
    struct Attachment: Decodable {
      let type: String
      let upload: String?
      let url: String?
      let thumbURL: String?

      private enum CodingKeys: String, CodingKey {
        case type, upload, url
        case thumbURL = "thumb_url"
      }
    }
    let list = try? attachments.decode([Attachment].self)
    guard let list, list.count <= 16 else {
      throw Problem.invalid("attachments are up to 16 objects, each with a type.")
    }
    do {
      _ = try Attachments(attachments)
    } catch is JSONError {
      throw Problem.invalid("An attachment of an upload has members of other types than it may.")
    }
    // An upload has URLs of its own.
    for url in list.filter({ $0.upload == nil }).flatMap({ [$0.url, $0.thumbURL] })
      .compactMap({ $0 })
    {
      guard url.hasPrefix("https://") || url.hasPrefix("http://"), url.utf8.count <= 2_048 else {
        throw Problem.invalid("Files are named by URLs, http or https.")
      }
    }
  }

  func write(
    _ line: ImportLine.Reaction, _ known: ImportKnowledge, _ batch: inout Batch
  ) throws {
    try Self.check(user: line.userID)
    guard Reaction.isName(line.reaction) else {
      throw Problem.invalid("A reaction is a word of up to 64 bytes.")
    }
    guard
      known.messages[line.messageID] != nil && !known.deleted.contains(line.messageID)
        || known.isOnlyLooking && known.messageLines[line.messageID] != nil
    else { throw Problem.invalid("There is no message \"\(line.messageID)\".") }
    batch.add(
      """
      INSERT INTO chat_reactions (message, user_id, reaction, created_at)
      VALUES (\(line.messageID), \(line.userID), \(line.reaction), \(line.createdAt ?? known.now))
      ON CONFLICT (message, user_id, reaction) DO NOTHING
      """)
  }

  func write(
    _ line: ImportLine.Membership, number: Int64, _ known: ImportKnowledge,
    _ batch: inout Batch
  ) throws {
    let (address, type) = try place(line.channel)
    try Self.check(user: line.userID)
    try known.require(address)
    let role = line.role ?? Role.member
    guard type.grants.memberRoles.contains(role) else {
      throw Problem.invalid("Channels of the type \"\(address.type)\" have no role \"\(role)\".")
    }
    guard try known.admit(line.userID, to: address, type) else { return }
    // What was sent before he came is not unread to him. Others may have come since it was looked who is there.
    batch.add(
      SQL(
        """
        INSERT INTO chat_members (
          type, channel, user_id, role, created_at, joined_seq, archived_at, pinned_at)
        SELECT c.type, c.id, \(line.userID), \(role), \(line.createdAt ?? known.now),
          \(known.joinedSeq(ofLine: number)), \(line.archivedAt), \(line.pinnedAt)
        FROM chat_channels c
        WHERE c.type = \(address.type) AND c.id = \(address.id) AND c.distinct_key IS NULL
          AND (SELECT count(*) FROM chat_members m
            WHERE m.type = c.type AND m.channel = c.id) < \(type.maxMembers)
        ON CONFLICT (type, channel, user_id) DO NOTHING
        """
      ).expect(exactly: 1))
  }

  func write(
    _ line: ImportLine.Reading, _ known: ImportKnowledge, _ batch: inout Batch
  ) throws {
    let (address, _) = try place(line.channel)
    try Self.check(user: line.userID)
    try known.require(address)
    let parent = try Self.find(line.messageID, in: address, before: .max, known)
    if parent != nil {
      batch.add(
        """
        INSERT INTO chat_thread_members (parent, user_id, replies, place, seen, follows, since)
        SELECT parent, \(line.userID), 0, 0, seq, 0, \(line.readAt ?? known.now)
        FROM chat_messages WHERE id = \(line.messageID) AND parent IS NOT NULL
        ON CONFLICT (parent, user_id) DO UPDATE SET seen = excluded.seen
        WHERE excluded.seen > chat_thread_members.seen
        """)
    }
    batch.add(
      """
      INSERT INTO chat_reads (type, channel, user_id, seq, message, read_at)
      SELECT type, channel, \(line.userID), seq, id, \(line.readAt ?? known.now)
      FROM chat_messages WHERE id = \(line.messageID) AND type = \(address.type)
        AND channel = \(address.id) AND listed = 1
      ON CONFLICT (type, channel, user_id) DO UPDATE
      SET seq = excluded.seq, message = excluded.message, read_at = excluded.read_at
      WHERE excluded.seq > chat_reads.seq
      """)
  }
}
