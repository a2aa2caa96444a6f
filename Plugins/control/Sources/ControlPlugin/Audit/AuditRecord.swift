internal import PluginCrypto
internal import PluginKit

/// Something that was done to an app, or refused, before it has its place in the log.
struct AuditRecord: Codable {
  enum Outcome: String, Codable, CaseIterable {
    /// Committed together with this record, or done before it.
    case done
    /// The member's role does not allow it; nothing has changed.
    case refused
    /// About to be done outside of this database; a record with the same request tells how it ended.
    case begun
    /// It was begun and has not been done.
    case failed
  }

  var id: String
  var createdAt: Timestamp
  var app: String
  var actorKind: String
  var actor: String
  /// The peer's address, without the port.
  var address: String
  var requestID: String
  /// "key.created"; ``Permission/action`` has most of them.
  var action: String
  var outcome: Outcome
  /// What it was done to, inside the app: a key's id, an account's, a plugin's.
  var target: String?
  /// Never with a secret in them.
  var before: RawJSON?
  var after: RawJSON?
  /// Why it has failed, in words.
  var reason: String?

  /// What the host calls the deletion of an app by the operator.
  static let deletedByOperator = "app.deleted"
  /// What the host calls an operator.
  static let operatorKind = "operator"
  private static let reasonBytes = 1_000

  /// What a log may tell of an error: the words that the client is told, or the host's.
  static func reason(of error: any Error) -> String {
    let text: String
    switch error {
    case let problem as Problem:
      text = ([problem.detail] + problem.errors.map { "\($0.pointer): \($0.message)" })
        .joined(separator: " ")
    case let error as HostError: text = error.text.isEmpty ? "\(error.status)" : error.text
    default: text = "\(error)"
    }
    guard text.utf8.count > reasonBytes else { return text }
    return String(decoding: text.utf8.prefix(reasonBytes), as: UTF8.self) + "…"
  }
}

/// A record in its place, bound to all before it.
///
/// `hash` is the SHA-256, in lower-case hexadecimal digits, over every other column that is not NULL, in the table's
/// order, each as `name:type:length:value` and a line feed; the type is `i` for an integer, written in decimal digits, or
/// `t` for text, the length counts bytes. `previous_hash` is among them, and 64 zeros in the first row.
struct AuditEntry: Codable {
  var seq: Int64
  var id: String
  var createdAt: Timestamp
  var app: String
  var actorKind: String
  var actor: String
  var address: String
  var requestID: String
  var action: String
  var outcome: AuditRecord.Outcome
  var target: String?
  var before: RawJSON?
  var after: RawJSON?
  var reason: String?
  var previousHash: String
  var hash: String

  enum CodingKeys: String, CodingKey {
    case seq, id, app, actor, address, action, outcome, target, before, after, reason, hash
    case createdAt = "created_at"
    case actorKind = "actor_kind"
    case requestID = "request_id"
    case previousHash = "previous_hash"
  }

  /// The columns, under the names of their keys.
  static let columns = """
    seq, id, created_at, app_id AS app, actor_kind, actor, address, request_id, action, outcome,
    target, before_value AS "before", after_value AS "after", previous_hash, hash, reason
    """

  /// The record after the one that `head` names.
  init(_ record: AuditRecord, after head: AuditHead) {
    seq = head.seq + 1
    id = record.id
    createdAt = record.createdAt
    app = record.app
    actorKind = record.actorKind
    actor = record.actor
    address = record.address
    requestID = record.requestID
    action = record.action
    outcome = record.outcome
    target = record.target
    before = record.before
    after = record.after
    reason = record.reason
    previousHash = head.hash
    hash = ""
    hash = Digest.sha256(canonical).hexadecimal
  }

  /// The bytes that are hashed.
  private var canonical: [UInt8] {
    var bytes: [UInt8] = []
    func add(_ name: String, _ type: String, _ value: String?) {
      guard let value else { return }
      bytes += Array("\(name):\(type):\(value.utf8.count):".utf8) + Array(value.utf8) + [0x0A]
    }
    add("seq", "i", String(seq))
    add("id", "t", id)
    add("created_at", "i", String(createdAt.unixMilliseconds))
    add("app_id", "t", app)
    add("actor_kind", "t", actorKind)
    add("actor", "t", actor)
    add("address", "t", address)
    add("request_id", "t", requestID)
    add("action", "t", action)
    add("outcome", "t", outcome.rawValue)
    add("target", "t", target)
    add("before_value", "t", before?.text)
    add("after_value", "t", after?.text)
    add("previous_hash", "t", previousHash)
    add("reason", "t", reason)
    return bytes
  }

  /// Appends the entry, if the one before it is still the last.
  var insertion: SQL {
    SQL(
      """
      INSERT INTO control_audit (seq, id, created_at, app_id, actor_kind, actor, address, request_id,
        action, outcome, target, before_value, after_value, previous_hash, hash, reason)
      SELECT \(seq), \(id), \(createdAt), \(app), \(actorKind), \(actor), \(address), \(requestID),
        \(action), \(outcome.rawValue), \(target), \(before), \(after), \(previousHash), \(hash),
        \(reason)
      WHERE (SELECT COALESCE(MAX(seq), 0) FROM control_audit) = \(seq - 1)
      """
    ).expect(exactly: 1)
  }
}

/// The last entry of the log.
struct AuditHead: Codable, Equatable {
  var seq: Int64
  var hash: String

  /// Of a log without an entry.
  static let empty = AuditHead(seq: 0, hash: String(repeating: "0", count: 64))
}
