internal import PluginKit

/// A slice of an import: lines that belong together in one batch.
struct ImportSlice {
  struct Row: Decodable {
    let number: Int64
    let turn: Int
    let line: String
  }

  var batch = Batch()
  /// Lines that are dealt with, right or wrong.
  var done: [Int64] = []
  var wrong: [(number: Int64, why: String)] = []

  /// The most statements before a line; a batch has 256. A line brings up to seventy, with `Mentions.limit` mentions in a reply, and three
  /// more say what has become of the slice.
  static let statements = 150

  /// The most members, for each of whom the channel's messages may be looked through.
  static let members = 25

  /// Those that go together: members come when what they have not to read is there.
  static func belonging(_ rows: [Row]) -> ArraySlice<Row> {
    let isMember = { (row: Row) in row.turn == ImportLine.memberTurn }
    guard let first = rows.first, isMember(first) else {
      return rows.prefix { !isMember($0) }
    }
    return rows.prefix(members).prefix(while: isMember)
  }

  var isFull: Bool { batch.statements.count >= Self.statements }
}

/// Imports are done in two stages: first, where one wrong line refuses all, every line is looked at; then they are written. Of both nobody is
/// told.
extension ChatShard {
  func importLines(_ task: TaskRecord) async throws {
    try context.store.checkRoom()
    if task.stage == 0 { return try await checkLines(task) }
    let limit = tasks.rows
    let rows: [ImportSlice.Row] = try await context.store.read(
      """
      SELECT number, turn, line FROM chat_import_lines WHERE task = \(task.id)
      ORDER BY turn, number LIMIT \(limit)
      """
    ).decode()
    let belonging = ImportSlice.belonging(rows)
    let known = try await known(to: belonging, of: task)
    var slice = ImportSlice()
    for row in belonging where !slice.isFull {
      do {
        try write(row, knowing: known, &slice)
      } catch let problem as Problem {
        slice.wrong.append((row.number, problem.detail))
      }
      slice.done.append(row.number)
    }
    if !slice.done.isEmpty {
      slice.batch.add(
        """
        DELETE FROM chat_import_lines WHERE task = \(task.id)
          AND number IN (\(raw: slice.done.map(String.init).joined(separator: ", ")))
        """)
    }
    Self.keep(slice.wrong, of: task, &slice.batch)
    try await commit(
      slice.batch, of: task, stage: 1, lines: Int64(slice.done.count),
      refused: Int64(slice.wrong.count),
      isDone: slice.done.count == rows.count && rows.count < limit)
  }

  /// Looks at lines and writes nothing of them; when one is wrong nothing ever is.
  private func checkLines(_ task: TaskRecord) async throws {
    let limit = tasks.rows
    let rows: [ImportSlice.Row] = try await context.store.read(
      """
      SELECT number, turn, line FROM chat_import_lines
      WHERE task = \(task.id) AND number > \(Int64(task.position) ?? 0)
      ORDER BY number LIMIT \(limit)
      """
    ).decode()
    let known = try await known(to: rows, of: task)
    var batch = Batch()
    var wrong: [(number: Int64, why: String)] = []
    for row in rows {
      var unwritten = ImportSlice()
      do {
        try write(row, knowing: known, &unwritten)
      } catch let problem as Problem {
        wrong.append((row.number, problem.detail))
      }
    }
    Self.keep(wrong, of: task, &batch)
    let refused = task.refused + Int64(wrong.count)
    guard rows.count < limit else {
      return try await commit(
        batch, of: task, stage: 0, position: "\(rows.last?.number ?? 0)",
        refused: Int64(wrong.count))
    }
    guard refused > 0 else { return try await commit(batch, of: task, stage: 1) }
    try await commit(
      batch, of: task, stage: 0, position: "\(Int64.max)", refused: Int64(wrong.count))
    throw Problem.invalid(
      refused == 1
        ? "A line is wrong, so none was imported."
        : "\(refused) lines are wrong, so none was imported.")
  }

  /// The most lines of which it is kept what is wrong.
  private static let errors: Int64 = 1_000

  private static func keep(
    _ wrong: [(number: Int64, why: String)], of task: TaskRecord, _ batch: inout Batch
  ) {
    var values: Fragment = ""
    for (index, each) in wrong.prefix(Int(max(0, errors - task.refused))).enumerated() {
      if index > 0 { values = "\(values), " }
      values = "\(values)(\(task.id), \(each.number), \(each.why))"
    }
    guard !wrong.isEmpty, task.refused < errors else { return }
    batch.add(
      """
      INSERT INTO chat_import_errors (task, number, error) VALUES \(values)
      ON CONFLICT (task, number) DO NOTHING
      """)
  }

  /// Puts what a line brings into the batch; nothing, when it is there already.
  ///
  /// - Throws: `Problem` that says what is wrong.
  private func write(
    _ row: ImportSlice.Row, knowing known: ImportKnowledge, _ slice: inout ImportSlice
  ) throws {
    switch try ImportLine(row.line) {
    case .channel(let channel): try write(channel, known, &slice.batch)
    case .message(let message):
      try write(message, number: row.number, known, &slice.batch)
    case .reaction(let reaction): try write(reaction, known, &slice.batch)
    case .member(let member):
      try write(member, number: row.number, known, &slice.batch)
    case .read(let reading): try write(reading, known, &slice.batch)
    }
  }
}
