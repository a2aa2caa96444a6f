import Synchronization

/// What a store has done since it was opened.
public struct StoreCounters: Sendable, Equatable {
  /// Batches acknowledged, and batches refused after they were queued.
  public var batchesCommitted: UInt64
  /// Refused by a guard, an error or the disk after they were queued.
  public var batchesFailed: UInt64
  /// Transactions that made those batches durable.
  public var commits: UInt64
  /// Groups in which every member had to be retried alone.
  public var groupsRetried: UInt64
  /// Reads answered with rows.
  public var readsDone: UInt64
  /// Reads refused after they were queued.
  public var readsFailed: UInt64
  /// Files opened and files closed to make room.
  public var filesOpened: UInt64
  /// Of those, closed to make room for another.
  public var filesEvicted: UInt64
  /// Batches and reads turned away because a queue was full.
  public var overloads: UInt64
}

final class StoreCounterCells: Sendable {
  let batchesCommitted = Atomic<UInt64>(0)
  let batchesFailed = Atomic<UInt64>(0)
  let commits = Atomic<UInt64>(0)
  let groupsRetried = Atomic<UInt64>(0)
  let readsDone = Atomic<UInt64>(0)
  let readsFailed = Atomic<UInt64>(0)
  let filesOpened = Atomic<UInt64>(0)
  let filesEvicted = Atomic<UInt64>(0)
  let overloads = Atomic<UInt64>(0)

  var snapshot: StoreCounters {
    StoreCounters(
      batchesCommitted: batchesCommitted.load(ordering: .relaxed),
      batchesFailed: batchesFailed.load(ordering: .relaxed),
      commits: commits.load(ordering: .relaxed),
      groupsRetried: groupsRetried.load(ordering: .relaxed),
      readsDone: readsDone.load(ordering: .relaxed),
      readsFailed: readsFailed.load(ordering: .relaxed),
      filesOpened: filesOpened.load(ordering: .relaxed),
      filesEvicted: filesEvicted.load(ordering: .relaxed),
      overloads: overloads.load(ordering: .relaxed))
  }
}

extension Atomic where Value == UInt64 {
  func increment(by amount: UInt64 = 1) {
    wrappingAdd(amount, ordering: .relaxed)
  }
}
