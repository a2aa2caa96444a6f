internal import PluginKit

/// `POST /v1/exports`, `POST /v1/erasures`, and what becomes of them. The app's server alone asks for these.
extension ChatShard {
  private struct Wanted: Decodable {
    let userID: String
    let messages: String?

    private enum CodingKeys: String, CodingKey {
      case userID = "user_id"
      case messages
    }
  }

  func createExport(_ request: Request) async throws -> Response {
    try await begin(.export, try request.decode())
  }

  func createErasure(_ request: Request) async throws -> Response {
    try await begin(.erasure, try request.decode())
  }

  func readExport(_ request: Request) async throws -> Response {
    try .json(TaskView(try await task(request, .export)))
  }

  func readErasure(_ request: Request) async throws -> Response {
    try .json(TaskView(try await task(request, .erasure)))
  }

  /// `GET /v1/exports/{id}/content`: a line of JSON for each thing.
  func readExportContent(_ request: Request) async throws -> Response {
    let task = try await task(request, .export)
    guard task.status == .done else {
      throw Problem.conflict("The export \"\(task.id)\" is \(task.status.rawValue), and not done.")
    }
    // Should he be erased meanwhile, too little comes, and whoever asks is told so by the length.
    let isMeasured = task.bytes > 0 || task.lines == 0
    let stream = try request.stream(
      contentType: "application/x-ndjson", length: isMeasured ? Int(task.bytes) : nil)
    var number: Int64 = -1
    while true {
      let row = try await context.store.read(
        """
        SELECT number, lines FROM chat_export_parts WHERE task = \(task.id) AND number > \(number)
        ORDER BY number LIMIT 1
        """
      ).first
      guard let row else { break }
      number = try row["number", Int64.self]
      try await stream.write(Array(try row["lines", String.self].utf8))
    }
    try stream.end()
    return .streamed
  }

  /// - Throws: `Problem` 404.
  func task(_ request: Request, _ kind: TaskRecord.Kind) async throws -> TaskRecord {
    let id = try request.parameter(0)
    guard let row = try await context.store.read(TaskRecord.find(id, kind)).first else {
      throw Problem.notFound("There is no \(kind.rawValue) \"\(id)\".")
    }
    return try row.decode()
  }

  /// One that is asked for again before it is finished is that one.
  private func begin(_ kind: TaskRecord.Kind, _ wanted: Wanted) async throws -> Response {
    let now = try context.clock.now()
    let id = try context.id.make(kind == .export ? "exp" : "ers")
    let mode = kind == .erasure ? wanted.messages ?? "delete" : nil
    let pseudonym = try kind == .erasure ? context.id.make("erased") : nil
    let unfinished: SQL = """
      SELECT \(raw: TaskRecord.columns) FROM chat_tasks WHERE kind = \(kind.rawValue)
        AND user_id = \(wanted.userID) AND finished_at IS NULL
        AND coalesce(mode, '') = \(mode ?? "")
      """
    if let found = try await context.store.read(unfinished).first {
      return try .json(TaskView(try found.decode()), status: 202)
    }
    try await scheduled {
      SQL(
        """
        INSERT INTO chat_tasks (id, kind, user_id, mode, pseudonym, status, created_at)
        SELECT \(id), \(kind.rawValue), \(wanted.userID), \(mode),
          \(pseudonym), 'waiting', \(now)
        WHERE (SELECT count(*) FROM chat_tasks WHERE finished_at IS NULL) < \(TaskRecord.limit)
        """
      ).expect(exactly: 1)
    }
    guard let made = try await context.store.read(TaskRecord.find(id, kind)).first else {
      throw Problem.notFound("There is no \(kind.rawValue) \"\(id)\".")
    }
    return try .json(TaskView(try made.decode()), status: 202)
  }

  /// Commits a task, and has it begun. Should the gateway die before it is done, the alarm has it gone on with.
  ///
  /// - Throws: `Problem` 403 when the batch's guard did not hold, since too many wait.
  func scheduled(@BatchBuilder _ parts: () throws -> [BatchPart]) async throws {
    do {
      try await context.alarm.commit(
        Batch(parts), wakingAt: context.clock.now().adding(milliseconds: Self.watch))
    } catch StoreError.conflict {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "At most \(TaskRecord.limit) tasks of an app wait; ask again when some are done.")
    }
    goOnWithTasks()
  }
}
