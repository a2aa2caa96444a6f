internal import PluginKit

/// The tenant's messages that are to go out, in its database: what is in it is on disk, and is sent at least once. All loops take from it, and none
/// what another has.
final class Queue {
  /// How long rows of messages that have ended are kept, in milliseconds.
  private static let keptFor: Int64 = 7 * 86_400_000

  private let settings: MailerSettings
  private let context: ShardContext
  private var seal: Seal?
  private let added: Metric?
  private let refused: Metric?

  init(_ settings: MailerSettings, _ context: ShardContext) {
    self.settings = settings
    self.context = context
    added = try? context.metrics.counter("queued_total", "Messages taken into the queue.")
    refused = try? context.metrics.counter(
      "queue_full_total", "Messages refused because too many waited.")
  }

  /// Takes a message; it is on disk when this returns.
  ///
  /// - Throws: `HostError` `.invalid` with what is wrong with it, `.overloaded` when too many wait; `StoreError`.
  func add(_ mail: Mail) async throws -> String {
    try mail.check()
    let now = try context.clock.now()
    let id = try context.id.make("msg")
    let text = MessageText(
      mail.naming(settings.productName), id: id, from: settings.fromAddress,
      name: settings.productName, at: now)
    let content = try await self.key().close(
      text.bytes, id: id, nonce: try context.random.bytes(Seal.nonceLength))
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO mailer_messages
            (id, recipient, category, content, state, attempts, next_at, created_at)
          SELECT \(id), \(mail.to), \(mail.category), \(content), 'queued', 0, \(now), \(now)
          WHERE (SELECT count(*) FROM mailer_messages WHERE state = 'queued') < \(settings.queueLimit)
          """
        ).expect(exactly: 1)
        SQL(
          """
          DELETE FROM mailer_messages WHERE ended_at <= \(now.adding(milliseconds: -Queue.keptFor))
          """)
      }
    } catch StoreError.conflict(statement: 0, _) {
      refused?.add()
      throw HostError(.overloaded, "\(settings.queueLimit) messages wait already")
    }
    added?.add()
    return id
  }

  /// A message that is being tried.
  struct Claimed {
    var id: String
    var recipient: String
    var category: String
    var attempts: Int64
    /// nil: it cannot be opened any more.
    var content: [UInt8]?
  }

  /// Takes the message that is due first, for an attempt that ends within `lease` milliseconds; then it is due again.
  func claim(lease: Int64) async throws -> Claimed? {
    let now = try context.clock.now()
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE mailer_messages
        SET attempts = attempts + 1, next_at = \(now.adding(milliseconds: lease))
        WHERE state = 'queued' AND id = (
          SELECT id FROM mailer_messages WHERE state = 'queued' AND next_at <= \(now)
          ORDER BY next_at, id LIMIT 1)
        RETURNING id, recipient, category, attempts, content
        """)
    }
    guard let row = commit.statements[0].first else { return nil }
    let id = try row["id", String.self]
    let sealed = try row["content", [UInt8]?.self]
    let key = try await key()
    return Claimed(
      id: id, recipient: try row["recipient", String.self],
      category: try row["category", String.self], attempts: try row["attempts", Int64.self],
      content: sealed.flatMap { key.open($0, id: id) })
  }

  /// It has gone out; its text is forgotten.
  func sent(_ message: Claimed) async throws {
    try await context.store.commit {
      SQL(
        """
        UPDATE mailer_messages
        SET state = 'sent', content = NULL, reason = NULL, ended_at = \(try context.clock.now())
        WHERE id = \(message.id) AND state = 'queued'
        """)
    }
  }

  /// It is to be tried again.
  func postpone(_ message: Claimed, reason: String, until time: Timestamp) async throws {
    try await context.store.commit {
      SQL(
        """
        UPDATE mailer_messages SET next_at = \(time), reason = \(reason)
        WHERE id = \(message.id) AND state = 'queued'
        """)
    }
  }

  /// The attempt was broken off before its end, and does not count.
  func giveBack(_ message: Claimed) async throws {
    try await context.store.commit {
      SQL(
        """
        UPDATE mailer_messages SET attempts = attempts - 1, next_at = \(try context.clock.now())
        WHERE id = \(message.id) AND state = 'queued' AND attempts = \(message.attempts)
        """)
    }
  }

  /// It is given up, and whoever listens hears of it.
  func fail(_ message: Claimed, reason: String) async throws {
    struct Failure: Encodable {
      var id: String
      var to: String
      var category: String
      var attempts: Int64
      var reason: String
    }
    try await context.store.commit {
      SQL(
        """
        UPDATE mailer_messages
        SET state = 'failed', content = NULL, reason = \(reason), ended_at = \(try context.clock.now())
        WHERE id = \(message.id) AND state = 'queued'
        """
      ).expect(exactly: 1)
      try Emit(
        "mailer.message.failed",
        data: Failure(
          id: message.id, to: message.recipient, category: message.category,
          attempts: message.attempts, reason: reason))
    }
  }

  /// When the next message is due; nil when none waits.
  func nextDue() async throws -> Timestamp? {
    let rows = try await context.store.read(
      """
      SELECT next_at FROM mailer_messages WHERE state = 'queued' ORDER BY next_at LIMIT 1
      """)
    return try rows.first?["next_at", Timestamp.self]
  }

  private func key() async throws -> Seal {
    if let seal { return seal }
    if try context.secrets.get(Seal.secret) == nil {
      do {
        try await context.secrets.put(
          Seal.secret, try context.random.bytes(Seal.keyLength), onlyIfAbsent: true)
      } catch let error as HostError where error.status == .conflict {
        // Another loop was first.
      }
    }
    guard let key = try context.secrets.get(Seal.secret) else {
      throw HostError(.unavailable, "the queue's key is gone as soon as it was made")
    }
    let seal = Seal(key: key)
    self.seal = seal
    return seal
  }
}
