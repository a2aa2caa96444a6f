internal import PluginKit

/// `POST /v1/imports?on_error=`, and what becomes of it. The lines are on disk before it is answered.
extension ChatShard {
  /// The most lines of an import.
  static let importLimit: Int64 = 1_000_000
  /// How long lines may be on their way, in milliseconds.
  static let receiving: Int64 = 86_400_000

  func createImport(_ request: Request) async throws -> Response {
    let now = try context.clock.now()
    let id = try context.id.make("imp")
    try await scheduled {
      SQL(
        """
        INSERT INTO chat_tasks (id, kind, mode, status, stage, created_at)
        SELECT \(id), 'import', \(request.query("on_error") ?? "skip"), 'receiving',
          \(request.query("on_error") == "refuse" ? 0 : 1), \(now)
        WHERE (SELECT count(*) FROM chat_tasks WHERE finished_at IS NULL) < \(TaskRecord.limit)
        """
      ).expect(exactly: 1)
    }
    let total: Int64
    do {
      total = try await receive(id, request)
    } catch {
      try? await drop(id)
      throw error
    }
    try await scheduled {
      SQL(
        """
        UPDATE chat_tasks SET status = 'waiting', total = \(total)
        WHERE id = \(id) AND status = 'receiving'
        """
      ).expect(exactly: 1)
    }
    guard let made = try await context.store.read(TaskRecord.find(id, .imported)).first else {
      throw Problem.notFound("There is no import \"\(id)\".")
    }
    return try .json(TaskView(try made.decode()), status: 202)
  }

  func readImport(_ request: Request) async throws -> Response {
    try .json(TaskView(try await task(request, .imported)))
  }

  /// `GET /v1/imports/{id}/errors?after=&limit=`
  func listImportErrors(_ request: Request) async throws -> Response {
    struct Wrong: Codable {
      let line: Int64
      let error: String
    }
    let limit = try request.limit()
    guard let after = request.query("after").map({ Int64($0) }) ?? 0 else {
      throw Problem.invalid(
        pointer: "/query/after", "after is what \"next\" of the page before said.")
    }
    let task = try await task(request, .imported)
    let found: [Wrong] = try await context.store.read(
      """
      SELECT number AS line, error FROM chat_import_errors
      WHERE task = \(task.id) AND number > \(after) ORDER BY number LIMIT \(limit + 1)
      """
    ).decode()
    return try .json(Page(found, limit: limit) { "\($0.line)" })
  }

  /// - Returns: how many lines there are.
  /// - Throws: `Problem` 400, 413; what cuts the body short.
  private func receive(_ id: String, _ request: Request) async throws -> Int64 {
    var lines = LineReader()
    while let piece = try await request.readBody() {
      try lines.add(piece)
      if lines.isFull { try await keep(lines.take(), of: id) }
    }
    try lines.end()
    try await keep(lines.take(), of: id)
    guard lines.count > 0 else { throw Problem.invalid("There is no line.") }
    return lines.count
  }

  /// The most lines of a batch, of 256 statements that it may have.
  private static let kept = 200

  private func keep(_ lines: [(number: Int64, bytes: [UInt8])], of id: String) async throws {
    for start in stride(from: 0, to: lines.count, by: Self.kept) {
      try await keep(lines[start..<min(start + Self.kept, lines.count)], of: id)
    }
  }

  private func keep(_ lines: ArraySlice<(number: Int64, bytes: [UInt8])>, of id: String)
    async throws
  {
    var batch = Batch()
    batch.isApartFromRequest = true
    for (number, bytes) in lines {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Problem.invalid("Line \(number) is not UTF-8.")
      }
      let kind = ImportLine.Kind(bytes)
      batch.add(
        """
        INSERT INTO chat_import_lines (task, number, turn, name, line)
        VALUES (\(id), \(number), \(kind.turn), \(kind.name), \(text))
        """)
    }
    try await context.store.commit(batch)
  }

  /// Takes back what has come of an upload that is cut short.
  private func drop(_ id: String) async throws {
    while try await !context.store.read("SELECT 1 FROM chat_tasks WHERE id = \(id)").isEmpty {
      try await context.store.commit {
        for statement in Self.forget(task: id) { statement }
      }
    }
  }
}

/// Lines out of the pieces of a body. Pure.
struct LineReader {
  private var rest: [UInt8] = []
  private var whole: [(number: Int64, bytes: [UInt8])] = []
  private var bytes = 0
  /// How many there have been that are not empty, and how many with those.
  private(set) var count: Int64 = 0
  private var number: Int64 = 0

  /// Whether so much has come that it is to be written.
  var isFull: Bool { whole.count >= 200 || bytes >= 1 << 20 }

  mutating func add(_ piece: [UInt8]) throws {
    var start = piece.startIndex
    while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
      rest += piece[start..<end]
      try finish()
      start = end + 1
    }
    rest += piece[start...]
    try check()
  }

  mutating func end() throws {
    if !rest.isEmpty { try finish() }
  }

  mutating func take() -> [(number: Int64, bytes: [UInt8])] {
    defer { (whole, bytes) = ([], 0) }
    return whole
  }

  private func check() throws {
    guard rest.count <= ImportLine.limit else {
      throw Problem(
        status: 413, code: "payload_too_large",
        detail: "Line \(number + 1) has more than \(ImportLine.limit) bytes.")
    }
  }

  private mutating func finish() throws {
    try check()
    number += 1
    if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
    guard !rest.isEmpty else { return }
    count += 1
    guard count <= ChatShard.importLimit else {
      throw Problem(
        status: 413, code: "payload_too_large",
        detail: "An import has at most \(ChatShard.importLimit) lines.")
    }
    whole.append((number, rest))
    bytes += rest.count
    rest = []
  }
}
