internal import PluginKit

/// What of an app a change is of. Changes of one subject are made one after another.
enum Subject: Equatable {
  /// Its name and its origins.
  case app
  case branding
  case signingSecret
  case key(String)
  case plugin(String)
  case domain(String)

  /// As it stands in the table.
  var text: String {
    switch self {
    case .app: "app"
    case .branding: "branding"
    case .signingSecret: "signing_secret"
    case .key(let id): "key:" + id
    case .plugin(let id): "plugin:" + id
    case .domain(let host): "domain:" + host
    }
  }

  init?(_ text: String) {
    switch text {
    case "app": self = .app
    case "branding": self = .branding
    case "signing_secret": self = .signingSecret
    default:
      guard let colon = text.firstIndex(of: ":") else { return nil }
      let name = String(text[text.index(after: colon)...])
      switch text[..<colon] {
      case "key": self = .key(name)
      case "plugin": self = .plugin(name)
      case "domain": self = .domain(name)
      default: return nil
      }
    }
  }
}

/// A change of what the gateway keeps of an app. That and this database are two, so it is noted before and forgotten with
/// its outcome; what a crash leaves says where to look.
struct HostChange {
  var subject: Subject
  /// As it ends when it is made. Its `before` is what was when nobody else could change the subject any more.
  var record: AuditRecord
  /// What it is to come to, without secrets; nil before anything was asked of the gateway.
  var intent: RawJSON?
  /// The instance that makes it.
  var owner: Int64

  var id: String { record.id }
  var app: String { record.app }

  init(_ subject: Subject, _ record: AuditRecord, owner: Int64) {
    self.subject = subject
    self.record = record
    self.owner = owner
  }

  static let columns = "subject, record, intent, owner"

  init(_ row: Row) throws {
    let text = try row["subject", String.self]
    guard let subject = Subject(text) else {
      throw HostError(.internal, "\"\(text)\" is nothing that a change can be of")
    }
    self.subject = subject
    record = try JSON.decode(AuditRecord.self, from: Array(try row["record", String.self].utf8))
    intent = try row["intent", String?.self].map { RawJSON(unchecked: Array($0.utf8)) }
    owner = try row["owner", Int64.self]
  }

  /// Notes it; no row when the subject has another.
  func noting() throws -> SQL {
    SQL(
      """
      INSERT INTO control_changes (app_id, subject, id, owner, began_at, record)
      VALUES (\(app), \(subject.text), \(id), \(owner), \(record.createdAt),
        \(try RawJSON(encoding: record)))
      ON CONFLICT (app_id, subject) DO NOTHING
      """
    ).expect(exactly: 1)
  }

  /// Notes what it is to come to, and what was before.
  func intending() throws -> SQL {
    SQL(
      """
      UPDATE control_changes SET record = \(try RawJSON(encoding: record)), intent = \(intent)
      WHERE app_id = \(app) AND subject = \(subject.text) AND id = \(id)
      """
    ).expect(exactly: 1)
  }

  /// Gives it to another instance.
  func moving(to other: Int64) -> SQL {
    SQL(
      """
      UPDATE control_changes SET owner = \(other)
      WHERE app_id = \(app) AND subject = \(subject.text) AND id = \(id) AND owner = \(owner)
      """
    ).expect(exactly: 1)
  }

  /// Forgets it.
  var ending: SQL {
    SQL(
      """
      DELETE FROM control_changes
      WHERE app_id = \(app) AND subject = \(subject.text) AND id = \(id)
      """
    ).expect(exactly: 1)
  }

  /// Holds while nothing is changed of a subject.
  static func none(of subject: Subject, of app: String) -> SQL {
    SQL(
      """
      SELECT 1 AS free WHERE NOT EXISTS (
        SELECT 1 FROM control_changes WHERE app_id = \(app) AND subject = \(subject.text))
      """
    ).expect(exactly: 1)
  }
}

/// What a look at the gateway finds of a change that was left.
enum Finding {
  /// It is in force; this database is to say so.
  case made(after: RawJSON?, Batch = Batch())
  /// It is not in force, or not any more.
  case unmade
}

/// Another change of the same subject is under way.
struct Occupied: Error {
  /// 409, with when to try again.
  var response: Response {
    .problem(.conflict("Another change of the same is under way. Try again in a moment."))
      .header("retry-after", "1")
  }
}
