internal import PluginKit

/// What is done for the app's server while nobody waits for it.
struct TaskRecord: Decodable {
  enum Kind: String, Codable {
    case export, erasure
    case imported = "import"
  }

  enum Status: String, Codable {
    /// Its lines are still coming.
    case receiving
    case waiting, running, done, failed
  }

  let id: String
  let kind: Kind
  let userID: String?
  let mode: String?
  /// Who has written the messages of an erased user.
  let pseudonym: String?
  let status: Status
  /// Which part of it is under way, and where in it.
  let stage: Int
  let position: String
  let batches: Int64
  let total: Int64
  let lines: Int64
  let refused: Int64
  /// Of an export: how many bytes its lines have; 0 where that is not known.
  let bytes: Int64
  let error: String?
  let createdAt: Timestamp
  let finishedAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id, kind
    case userID = "user_id"
    case mode, pseudonym, status, stage, position, batches, total, lines, refused, bytes, error
    case createdAt = "created_at"
    case finishedAt = "finished_at"
  }

  static let columns = """
    id, kind, user_id, mode, pseudonym, status, stage, position, batches, total, lines, refused, bytes,
    error, created_at, finished_at
    """

  /// The most that are not finished.
  static let limit = 20
  /// How long one that is finished, with what it has made, is kept, in milliseconds.
  static let kept: Int64 = 7 * 86_400_000

  static func find(_ id: String, _ kind: Kind) -> SQL {
    "SELECT \(raw: columns) FROM chat_tasks WHERE id = \(id) AND kind = \(kind.rawValue)"
  }
}

/// A task, as it is answered.
struct TaskView: Encodable {
  let id: String
  /// nil for imports, and when he has been erased.
  let userID: String?
  /// Of an erasure.
  let messages: String?
  /// Of an import.
  let onError: String?
  let status: TaskRecord.Status
  /// Percent.
  let progress: Int
  /// Of an export those that are written, of an import those that are dealt with; nil for erasures.
  let lines: Int64?
  /// Of imports: how many lines there are, and how many are wrong.
  let total: Int64?
  let refused: Int64?
  /// Why it has failed, or is not gone on with now.
  let error: String?
  let createdAt: Timestamp
  let finishedAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case id
    case userID = "user_id"
    case messages
    case onError = "on_error"
    case status, progress, lines, total, refused, error
    case createdAt = "created_at"
    case finishedAt = "finished_at"
  }

  init(_ task: TaskRecord) {
    id = task.id
    userID = task.userID
    messages = task.kind == .erasure ? task.mode : nil
    onError = task.kind == .imported ? task.mode : nil
    status = task.status
    let (done, all): (Int64, Int64) =
      switch task.kind {
      case .export: (Int64(task.stage), Int64(ExportTable.all.count))
      case .erasure: (Int64(task.stage), Int64(ErasureStep.allCases.count))
      case .imported: (task.lines, task.total)
      }
    progress = task.status == .done ? 100 : all == 0 ? 0 : Int(min(99, done * 100 / all))
    lines = task.kind == .erasure ? nil : task.lines
    let isImport = task.kind == .imported
    total = isImport ? task.total : nil
    refused = isImport ? task.refused : nil
    error = task.error
    createdAt = task.createdAt
    finishedAt = task.finishedAt
  }
}
