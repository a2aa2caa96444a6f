internal import PluginKit

/// Whether a shard is at work on tasks, and which of them wait. Loop thread only; after a start it is learned anew.
struct TaskRounds {
  var isUnderWay = false
  /// Whether there may be something to do that is not seen yet.
  var isAskedFor = false
  /// Until something is due soon.
  var timer: Timer?
  /// How many rows of the task that is under way go together.
  var rows = 1
  private(set) var setbacks: [String: TaskSetback] = [:]

  /// When the first of those that wait is gone on with; nil when none waits.
  var nextTry: Timestamp? { setbacks.values.map(\.until).min() }

  func waits(_ id: String, at now: Timestamp) -> Bool {
    setbacks[id].map { $0.until > now } ?? false
  }

  /// How often a task was tried in vain since it has gone on, by anybody.
  func timesInVain(_ task: TaskRecord) -> Int {
    guard let setback = setbacks[task.id], setback.batches == task.batches else { return 0 }
    return setback.times
  }

  mutating func setBack(_ task: TaskRecord, to time: Timestamp, rows: Int) {
    setbacks[task.id] = TaskSetback(
      batches: task.batches, times: timesInVain(task) + 1, until: time, rows: rows)
  }

  /// A batch of the task was committed; the next may be larger.
  mutating func wentOn(_ id: String) {
    guard let rows = setbacks[id]?.rows else { return }
    setbacks[id]?.rows = min(ChatShard.sliced, 2 * rows)
    if setbacks[id]?.rows == ChatShard.sliced { setbacks[id] = nil }
  }

  mutating func forgetSetbacks(but ids: [String]) {
    guard !setbacks.isEmpty else { return }
    setbacks = setbacks.filter { ids.contains($0.key) }
  }
}

/// That a task was tried in vain.
struct TaskSetback {
  /// Where it stood.
  let batches: Int64
  let times: Int
  /// When it is tried again.
  var until: Timestamp
  var rows: Int

  /// How often it is tried where it stands before it has failed for good: a quarter of an hour.
  static let most = 20

  /// Half a second and longer each time, up to a minute, in milliseconds.
  static func pause(times: Int) -> Int64 { min(60_000, 500 << Int64(min(times, 10))) }
}
