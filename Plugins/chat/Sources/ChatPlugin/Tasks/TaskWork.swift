internal import PluginKit

/// How tasks get on: a batch at a time, so that others' writes come between, one task after another.
extension ChatShard {
  /// How long is worked until others get their turn, in nanoseconds.
  private static let turn: UInt64 = 250_000_000

  /// What is due of the tasks.
  ///
  /// - Returns: when to go on; nil when there is nothing.
  func workOnTasks() async throws -> Timestamp? {
    let end = try context.clock.monotonicNanoseconds() + Self.turn
    while true {
      let now = try context.clock.now()
      let unfinished = try await unfinishedTasks()
      tasks.forgetSetbacks(but: unfinished.map(\.id))
      guard let task = unfinished.first(where: { !tasks.waits($0.id, at: now) }) else {
        // Those that wait keep nothing from being forgotten.
        let nextEnd = try await forgetTasks()
        return [tasks.nextTry, nextEnd].compactMap(\.self).min()
      }
      do {
        tasks.rows = tasks.setbacks[task.id]?.rows ?? Self.sliced
        try await work(on: task)
        tasks.wentOn(task.id)
      } catch let error as StoreError {
        try await setBack(task, by: error, at: now)
      } catch let error as HostError where context.isOpen {
        // Another plugin cannot do its part now: the other tasks need not wait for it.
        let pause = TaskSetback.pause(times: tasks.timesInVain(task))
        context.log.warning(
          "a task is gone on with later", ["task": task.id, "error": "\(error)"])
        tasks.setBack(task, to: now.adding(milliseconds: pause), rows: tasks.rows)
        try await note(
          task, waits: "Another plugin cannot do its part now; the gateway's log says why.")
      } catch let problem as Problem {
        try await fail(task, problem.detail)
      } catch let error where !(error is HostError) && !(error is CancellationError) {
        try await fail(task, by: error)
      }
      if try context.clock.monotonicNanoseconds() >= end { return try context.clock.now() }
    }
  }

  /// In the order in which they are done. There are no more than `TaskRecord.limit`.
  private func unfinishedTasks() async throws -> [TaskRecord] {
    try await context.store.read(
      """
      SELECT \(raw: TaskRecord.columns) FROM chat_tasks
      WHERE finished_at IS NULL AND status <> 'receiving' ORDER BY created_at, id
      """
    ).decode()
  }

  /// What becomes of a task whose batch was not committed, so that it keeps none of the others from being done.
  ///
  /// - Throws: the error where it concerns all that is written.
  private func setBack(
    _ task: TaskRecord, by error: StoreError, at now: Timestamp
  ) async throws {
    switch error {
    case .storageFull, .unavailable, .overloaded, .cancelled: throw error
    case .invalid, .denied: try await fail(task, by: error)
    case .failed(.tooLarge, _):
      // Fewer rows may go together.
      guard tasks.rows > 1 else { return try await fail(task, by: error) }
      tasks.setBack(task, to: now, rows: tasks.rows / 2)
    case .conflict, .failed:
      // Somebody else has gone on with it, or has come between; where it is, is read anew.
      let times = tasks.timesInVain(task)
      guard times < TaskSetback.most else { return try await fail(task, by: error) }
      if times > 1 {
        context.log.warning(
          "a task is gone on with later", ["task": task.id, "error": "\(error)"])
      }
      tasks.setBack(
        task, to: now.adding(milliseconds: TaskSetback.pause(times: times)), rows: tasks.rows)
    }
  }

  private func work(on task: TaskRecord) async throws {
    switch task.kind {
    case .export: try await export(task)
    case .erasure: try await erase(task)
    case .imported: try await importLines(task)
    }
  }

  /// Commits what a task has done, and where it is now.
  ///
  /// - Throws: `StoreError.conflict` when somebody else has gone on with it.
  func commit(
    _ batch: Batch, of task: TaskRecord, stage: Int, position: String = "", lines: Int64 = 0,
    refused: Int64 = 0, bytes: Int64 = 0, isDone: Bool = false
  ) async throws {
    var batch = batch
    let now = try context.clock.now()
    batch.add(
      SQL(
        """
        UPDATE chat_tasks SET stage = \(stage), position = \(position), batches = batches + 1,
          lines = lines + \(lines), refused = refused + \(refused), bytes = bytes + \(bytes), status = \(isDone ? "done" : "running"),
          error = NULL, finished_at = \(isDone ? now : nil),
          user_id = CASE WHEN \(isDone && task.kind == .erasure) = 1 THEN NULL ELSE user_id END
        WHERE id = \(task.id) AND batches = \(task.batches) AND finished_at IS NULL
        """
      ).expect(exactly: 1))
    try await context.store.commit(batch)
  }

  /// Has a task say why it is not gone on with, until it is.
  private func note(_ task: TaskRecord, waits reason: String) async throws {
    guard task.error != reason else { return }
    try await context.store.commit {
      SQL(
        """
        UPDATE chat_tasks SET error = \(reason)
        WHERE id = \(task.id) AND batches = \(task.batches) AND finished_at IS NULL
        """)
    }
  }

  private func fail(_ task: TaskRecord, by error: any Error) async throws {
    context.log.error("a task has failed", ["task": task.id, "error": "\(error)"])
    try await fail(task, "It could not be gone on with; the gateway's log says why.")
  }

  private func fail(_ task: TaskRecord, _ reason: String) async throws {
    let now = try context.clock.now()
    try await context.store.commit {
      SQL(
        """
        UPDATE chat_tasks SET status = 'failed', error = \(reason), finished_at = \(now)
        WHERE id = \(task.id) AND finished_at IS NULL
        """)
    }
  }

  /// Removes tasks that were finished long ago, uploads that were cut short, and lines of imports that nothing comes of; some at a time.
  ///
  /// - Returns: when the next is to go.
  private func forgetTasks() async throws -> Timestamp? {
    let now = try context.clock.now()
    let results = try await context.store.read([
      """
      SELECT id, finished_at AS at FROM chat_tasks WHERE finished_at IS NOT NULL
      ORDER BY finished_at, id LIMIT 1
      """,
      """
      SELECT id, created_at AS at FROM chat_tasks
      WHERE finished_at IS NULL AND status = 'receiving' ORDER BY created_at, id LIMIT 1
      """,
      """
      SELECT t.id FROM chat_tasks t WHERE t.kind = 'import' AND t.finished_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM chat_import_lines l WHERE l.task = t.id) LIMIT 1
      """,
    ])
    if let id = try results[2].first?["id", String.self] {
      try await context.store.commit { Self.forget("chat_import_lines", of: id) }
      return now
    }
    var next: Timestamp?
    for (rows, kept) in zip(results, [TaskRecord.kept, Self.receiving]) {
      guard let row = rows.first else { continue }
      let end = try row["at", Timestamp.self].adding(milliseconds: kept)
      if end <= now {
        let id = try row["id", String.self]
        try await context.store.commit {
          for statement in Self.forget(task: id) { statement }
        }
        return now
      }
      next = next.map { min($0, end) } ?? end
    }
    return next
  }

  /// Tables with numbered parts of tasks.
  private static let parts = ["chat_export_parts", "chat_import_lines", "chat_import_errors"]

  private static func forget(_ table: String, of task: String) -> SQL {
    """
    DELETE FROM \(raw: table) WHERE task = \(task) AND number IN (
      SELECT number FROM \(raw: table) WHERE task = \(task) ORDER BY number LIMIT \(sliced))
    """
  }

  /// Removes some of what a task has made; with the last of it the task.
  static func forget(task id: String) -> [SQL] {
    let rest = parts.map { "EXISTS (SELECT 1 FROM \($0) WHERE task = chat_tasks.id)" }
    return parts.map { forget($0, of: id) } + [
      "DELETE FROM chat_tasks WHERE id = \(id) AND NOT (\(raw: rest.joined(separator: " OR ")))"
    ]
  }
}
