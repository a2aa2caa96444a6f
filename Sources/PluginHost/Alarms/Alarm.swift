internal import Synchronization

/// Whom an alarm wakes: a plugin has one for each tenant.
struct Alarm: Hashable, Sendable {
  let tenant: String
  let plugin: String
}

/// What came of a wake-up.
enum AlarmOutcome: Sendable, Equatable {
  /// The plugin has done what was due; the next time in Unix milliseconds, or nil.
  case done(Int64?)
  /// The plugin failed, was silent for too long or could not be opened: for this reason.
  case failed(String)
  /// The shard was closed under it, or there was none yet: the plugin is not to blame, unless it goes on so.
  case cut
  /// Nobody is to be woken as the tenant's plugins stand now; the alarm is parked until they change.
  case parked
}

/// How often plugins were woken. [any-thread]
final class AlarmCounters: Sendable {
  /// All wake-ups that have ended.
  let wakes = Atomic<Int>(0)
  /// Of these, those that are repeated because they failed.
  let failures = Atomic<Int>(0)
  /// Those that have begun and not ended.
  let underWay = Atomic<Int>(0)
}
