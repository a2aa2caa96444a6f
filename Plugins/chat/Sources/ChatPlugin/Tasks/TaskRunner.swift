internal import PluginKit

/// What brings tasks on: whoever makes one, and the first who asks an app for something after a start.
extension ChatShard {
  /// The longest that it is waited for something to be due, in milliseconds; what is due later is seen to when the app is opened next.
  private static let patience: Int64 = 60_000
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
}
