internal import PluginKit

/// The users that a message mentions.
enum Mentions {
  /// The most that one message has.
  static let limit = 32

  /// Each once, in the order in which they are given; nil for none.
  ///
  /// - Throws: `Problem` 400 when there are too many.
  static func checked(_ users: [String]?) throws -> [String]? {
    var known: Set<ExactText> = []
    let users = (users ?? []).filter { known.insert(ExactText($0)).inserted }
    guard users.count <= limit else {
      throw Problem.invalid(pointer: "/mentions", "A message mentions at most \(limit) users.")
    }
    return users.isEmpty ? nil : users
  }

  /// Whether both name the same users in the same order.
  static func areSame(_ one: [String]?, _ other: [String]?) -> Bool {
    (one ?? []).elementsEqual(other ?? []) { $0.isExactly($1) }
  }
}

extension Message {
  /// The mentions, as they are stored.
  var mentionsJSON: RawJSON? {
    get throws { try mentions.map { try RawJSON(encoding: $0) } }
  }
}

extension ChatShard {
  /// Stores whom a message mentions, and since when; of those whom it has mentioned before nothing changes.
  static func keepMentions(of message: Message, _ batch: inout Batch) {
    let since = message.updatedAt ?? message.createdAt
    for user in message.mentions ?? [] {
      batch.add(
        """
        INSERT INTO chat_mentions (message, user_id, created_at)
        VALUES (\(message.id), \(user), \(since)) ON CONFLICT (message, user_id) DO NOTHING
        """)
    }
  }

  /// Tells users on their own channels that a message mentions them; not its author, and not who may not read it.
  func tell(
    _ users: [String], of message: Message, in address: ChannelAddress, _ type: ChannelType
  ) {
    let users = users.filter { !$0.isExactly(message.userID) }
    guard !users.isEmpty else { return }
    context.spawn { [self] in
      do {
        for user in try await readers(among: users, of: address, type) {
          tell("chat.mention", try RawJSON(encoding: message), to: user)
        }
      } catch {
        if context.isOpen {
          context.log.warning("users cannot be told that they are mentioned", ["error": "\(error)"])
        }
      }
    }
  }

  /// Those of the users who may read a channel.
  func readers(
    among users: [String], of address: ChannelAddress, _ type: ChannelType
  ) async throws -> [String] {
    let rows = try await context.store.read(
      """
      SELECT user_id, role FROM chat_members WHERE type = \(address.type)
        AND channel = \(address.id) AND user_id IN (\(each: users))
      """)
    var roles: [ExactText: String] = [:]
    for row in rows {
      roles[ExactText(try row["user_id", String.self])] = try row["role", String.self]
    }
    return users.filter { type.grants.allows(roles[ExactText($0)] ?? Role.user, .readChannel) }
  }

  /// Publishes on a user's own channel; kept nowhere.
  func tell(_ type: String, _ data: RawJSON, to user: String) {
    do {
      try context.bus.publish("#\(user)", type: type, data: data)
    } catch {
      // Whose name makes no channel has no channel of his own.
      context.log.debug("a user cannot be told", ["user": user, "error": "\(error)"])
    }
  }
}
