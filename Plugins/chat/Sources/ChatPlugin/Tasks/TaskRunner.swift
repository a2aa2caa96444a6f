internal import PluginKit

/// What brings tasks on: whoever makes one, the first who asks an app for something after a start, and the plugin's alarm.
extension ChatShard {
  /// The longest that it is waited for something to be due, in milliseconds; the alarm comes for what is due later.
  private static let patience: Int64 = 60_000
  /// After which time the alarm sees whether tasks are still gone on with, in milliseconds.
  static let watch: Int64 = 60_000
  /// How long it is waited when the store cannot be written to, in milliseconds.
  private static let pause: Int64 = 5_000

  /// Goes on with tasks until there are none. Shards of several loops may do so at once: a batch that another has written is written once.
  func goOnWithTasks() {
    tasks.isAskedFor = true
    guard !tasks.isUnderWay else { return }
    tasks.isUnderWay = true
    context.spawn { [self] in
      defer { tasks.isUnderWay = false }
      while context.isOpen, tasks.isAskedFor {
        tasks.isAskedFor = false
        let now = try context.clock.now()
        var next: Timestamp?
        do {
          next = try await workOnTasks()
        } catch {
          guard context.isOpen else { return }
          context.log.warning("tasks are gone on with later", ["error": "\(error)"])
          next = now.adding(milliseconds: Self.pause)
        }
        try goOnWithTasks(at: next)
      }
    }
  }

  /// Nobody who asks for a task waits for the time that another is waited for.
  private func goOnWithTasks(at time: Timestamp?) throws {
    if let timer = tasks.timer { context.timers.cancel(timer) }
    tasks.timer = nil
    guard let time else { return }
    let pause = time.unixMilliseconds - (try context.clock.now().unixMilliseconds)
    guard pause > 0 else {
      tasks.isAskedFor = true
      return
    }
    guard pause <= Self.patience else { return }
    tasks.timer = try context.timers.after(milliseconds: Int(pause)) { [self] in goOnWithTasks() }
  }

  /// When the plugin is to be woken for tasks that it has just gone on with; nil when there are none.
  func nextAlarmOfTasks() async throws -> Timestamp? {
    let due = try await context.store.read(
      """
      SELECT min(t.due) AS due FROM (
        SELECT min(created_at) AS due FROM chat_tasks
        WHERE finished_at IS NULL AND status <> 'receiving'
        UNION ALL SELECT min(created_at) + \(Self.receiving) FROM chat_tasks
        WHERE finished_at IS NULL AND status = 'receiving'
        UNION ALL SELECT min(finished_at) + \(TaskRecord.kept) FROM chat_tasks
        WHERE finished_at IS NOT NULL
        UNION ALL SELECT min(t.finished_at) FROM chat_tasks t
        WHERE t.kind = 'import' AND t.finished_at IS NOT NULL
          AND EXISTS (SELECT 1 FROM chat_import_lines l WHERE l.task = t.id)
      ) AS t
      """
    ).first?["due", Timestamp?.self]
    guard let due else { return nil }
    // What is due is under way; the alarm is for when it comes to nothing.
    return max(due, try context.clock.now().adding(milliseconds: Self.watch))
  }
}
