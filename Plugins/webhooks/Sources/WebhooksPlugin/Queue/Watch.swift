internal import PluginKit

/// Sees that the plugin is woken while something waits: should the gateway die, or the tenant not be opened by anybody. Loop thread.
final class Watch {
  /// How long after a batch the alarm comes that looks whether it was gone on with, in milliseconds.
  static let distance: Int64 = 60_000

  private let context: ShardContext
  private let desk: Desk
  /// Whether others take over, whose alarms this shard does not know of.
  var isDraining = false

  init(_ context: ShardContext, _ desk: Desk) {
    self.context = context
    self.desk = desk
  }

  /// Commits a batch whose rows are to be gone on with: the alarm stands before it, and still stands behind it.
  @discardableResult
  func commit(_ batch: Batch, at now: Timestamp) async throws -> Commit {
    let latest = now.unixMilliseconds + Self.distance
    try await stand(before: latest, at: now)
    let commit = try await context.store.commit(batch)
    do {
      // A wake-up that came in between may not have seen the rows, and have ended the alarm. Who takes over knows nothing of them.
      if isDraining {
        try await context.alarm.set(now)
      } else {
        try await stand(before: latest, at: now)
      }
    } catch {
      if context.isOpen { context.log.error("an alarm cannot be set", ["error": "\(error)"]) }
    }
    return commit
  }

  private func stand(before latest: Int64, at now: Timestamp) async throws {
    if let alarm = desk.alarm, alarm <= latest, alarm > now.unixMilliseconds { return }
    try await context.alarm.set(Timestamp(unixMilliseconds: latest))
    desk.setAlarm(latest)
  }
}
