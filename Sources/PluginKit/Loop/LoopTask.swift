/// A task on a shard's loop.
public struct LoopTask: Sendable {
  let task: Task<Void, Never>

  /// Asks the task to end: `Task.isCancelled` becomes true in it, and what it sleeps on throws.
  public func cancel() {
    task.cancel()
  }
}

extension ShardContext {
  /// Starts `body` as a task on the shard's loop: for asynchronous work out of a socket's callback, a
  /// publication or a timer. It begins when the present call has returned to the loop.
  ///
  /// What it commits is not named as the effect of the request whose handler starts it. An error that `body` throws is
  /// logged, unless the task was cancelled.
  @discardableResult
  public func spawn(
    _ body: nonisolated(nonsending) @escaping () async throws -> Void
  ) -> LoopTask {
    keep { [self] in
      do {
        try await body()
      } catch {
        if !Task.isCancelled && isOpen {
          log.error("a task of the plugin failed", ["error": "\(error)"])
        }
      }
    }
  }

  /// Starts a task that is cancelled when the shard closes.
  @discardableResult
  func keep(_ body: nonisolated(nonsending) @escaping () async -> Void) -> LoopTask {
    lastTask += 1
    let number = lastTask
    let task = run { [self] in
      await body()
      tasks[number] = nil
    }
    tasks[number] = task
    return task
  }

  /// Starts a task that handles its own errors and that somebody else cancels.
  func run(_ body: nonisolated(nonsending) @escaping () async -> Void) -> LoopTask {
    let work = LoopBound(body)
    guard CurrentRequest.token != 0 else { return start(work) }
    // A task inherits what its maker is at: what is left to it is no effect of that request.
    return CurrentRequest.$token.withValue(0) { start(work) }
  }

  private func start(_ work: LoopBound) -> LoopTask {
    LoopTask(task: Task(executorPreference: executor) { await work.body() })
  }
}

/// Work that never leaves its shard's loop.
///
/// The compiler cannot know that a task with this executor preference runs on the thread that makes
/// it; PluginKit does, and `LoopExecutor` sees to it. This box is where the promise is given.
struct LoopBound: @unchecked Sendable {
  // Owned by the shard's loop thread.
  let body: () async -> Void

  init(_ body: nonisolated(nonsending) @escaping () async -> Void) {
    self.body = body
  }
}
