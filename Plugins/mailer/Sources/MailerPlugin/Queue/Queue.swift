internal import PluginCrypto
internal import PluginKit

/// The tenant's messages that are to go out, in its database: what is in it is on disk, and is sent at least once. All loops take from it, and none
/// what another has.
final class Queue {
  /// How long rows of messages that have ended are kept, in milliseconds.
  private static let keptFor: Int64 = 7 * 86_400_000

  private let settings: MailerSettings
  private let context: ShardContext
  /// Messages may hold codes that let somebody in.
  private let seal: SealKeeper
  private let added: Metric?
  private let refused: Metric?

  init(_ settings: MailerSettings, _ context: ShardContext) {
    self.settings = settings
    self.context = context
    seal = SealKeeper(context, secret: "mailer.queue")
    added = try? context.metrics.counter("queued_total", "Messages taken into the queue.")
    refused = try? context.metrics.counter(
      "queue_full_total", "Messages refused because too many waited.")
  }

  /// Takes a message; it is on disk when this returns. One whose key is that of a message that is here is that message.
  ///
  /// - Throws: `HostError` `.invalid` with what is wrong with it, `.overloaded` when too many wait; `StoreError`.
  func add(_ mail: Mail) async throws -> String {
    try mail.check()
    if let known = try await find(key: mail.key) { return known }
    let now = try context.clock.now()
    let id = try context.id.make("msg")
    let text = MessageText(
      mail.naming(settings.productName), id: id, from: settings.fromAddress,
      name: settings.productName, at: now)
    let content = try await seal.close(text.bytes, id: id)
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO mailer_messages
            (id, recipient, category, content, state, attempts, next_at, created_at, request_key)
          SELECT \(id), \(mail.to), \(mail.category), \(content), 'queued', 0, \(now), \(now),
            \(mail.key)
          WHERE (SELECT count(*) FROM mailer_messages WHERE state = 'queued') < \(settings.queueLimit)
          """
        ).expect(exactly: 1)
        SQL(
          """
          DELETE FROM mailer_messages WHERE ended_at <= \(now.adding(milliseconds: -Queue.keptFor))
          """)
      }
    } catch StoreError.conflict(statement: 0, _) {
      // Another loop may have been first with the same one.
      if let known = try await find(key: mail.key) { return known }
      refused?.add()
      throw HostError(.overloaded, "\(settings.queueLimit) messages wait already")
    }
    added?.add()
    return id
  }

  private func find(key: String?) async throws -> String? {
    guard let key else { return nil }
    let rows = try await context.store.read(
      "SELECT id FROM mailer_messages WHERE request_key = \(key)")
    return try rows.first?["id", String.self]
  }

  /// A message that is being tried.
  struct Claimed {
    var id: String
    var recipient: String
    var category: String
    var attempts: Int64
    /// When another may take it over.
    var leaseEnd: Timestamp
    /// nil: it cannot be opened any more.
    var content: [UInt8]?

    /// The row's state while the message is this attempt's.
    fileprivate var mark: String { "queued \(attempts) \(leaseEnd.unixMilliseconds)" }
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
        RETURNING id, recipient, category, attempts, next_at, content
        """)
    }
    guard let row = commit.statements[0].first else { return nil }
    let id = try row["id", String.self]
    let sealed = try row["content", [UInt8]?.self]
    var content: [UInt8]?
    if let sealed { content = try await seal.open(sealed, id: id) }
    return Claimed(
      id: id, recipient: try row["recipient", String.self],
      category: try row["category", String.self], attempts: try row["attempts", Int64.self],
      leaseEnd: try row["next_at", Timestamp.self],
      content: content)
  }

  /// It has gone out; its text is forgotten. That is so whoever has taken it over meanwhile: what that one finds is not noted any more.
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
  ///
  /// - Returns: false when another attempt has taken the message over, whose it is to say.
  func postpone(_ message: Claimed, reason: String, until time: Timestamp) async throws -> Bool {
    try await commit(
      """
      UPDATE mailer_messages SET next_at = \(time), reason = \(reason)
      WHERE id = \(message.id) AND \(raw: Queue.isMine) = \(message.mark)
      """)
  }

  /// The attempt was broken off before its end, and does not count.
  ///
  /// - Returns: as `postpone`.
  @discardableResult
  func giveBack(_ message: Claimed) async throws -> Bool {
    // A millisecond on: an attempt that was overtaken, whose lease may have ended right now, is not taken for the message's.
    let next = try context.clock.now().adding(milliseconds: 1)
    return try await commit(
      """
      UPDATE mailer_messages SET attempts = attempts - 1, next_at = \(next)
      WHERE id = \(message.id) AND \(raw: Queue.isMine) = \(message.mark)
      """)
  }

  /// It is given up, and whoever listens hears of it.
  ///
  /// - Returns: as `postpone`.
  func fail(_ message: Claimed, reason: String) async throws -> Bool {
    struct Failure: Encodable {
      var id: String
      var to: String
      var category: String
      var attempts: Int64
      var reason: String
    }
    let failed = try Emit(
      "mailer.message.failed",
      data: Failure(
        id: message.id, to: message.recipient, category: message.category,
        attempts: message.attempts, reason: reason))
    return try await commit(
      """
      UPDATE mailer_messages
      SET state = 'failed', content = NULL, reason = \(reason), ended_at = \(try context.clock.now())
      WHERE id = \(message.id) AND \(raw: Queue.isMine) = \(message.mark)
      """, failed)
  }

  /// Equal to a claimed message's mark as long as no other attempt has taken it over. The number of the attempt alone would not tell: that of one
  /// that is given back is used again.
  private static let isMine = "state || ' ' || attempts || ' ' || next_at"

  /// Commits the end of an attempt; false when the message is another's.
  private func commit(_ change: SQL, _ event: Emit? = nil) async throws -> Bool {
    var batch = Batch()
    batch.add(change.expect(exactly: 1))
    if let event { batch.emit(event) }
    do {
      try await context.store.commit(batch)
      return true
    } catch StoreError.conflict {
      return false
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
}
