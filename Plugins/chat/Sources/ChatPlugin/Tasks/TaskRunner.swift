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
        guard let next else { continue }
        let pause = next.unixMilliseconds - (try context.clock.now().unixMilliseconds)
        guard pause <= Self.patience else { continue }
        tasks.isAskedFor = true
        if pause > 0 { try await context.timers.sleep(milliseconds: Int(pause)) }
      }
    }
  }
}

/// Whether a shard is at work on tasks.
struct TaskRounds {
  var isUnderWay = false
  /// Whether there may be something to do that is not seen yet.
  var isAskedFor = false
}
