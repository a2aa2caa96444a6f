public import Synchronization

/// How many exchanges there were, over all loops that count here. [any-thread]
public final class ClientCounters: Sendable {
  /// All that have begun.
  public let begun = Atomic<Int>(0)
  /// Of these, those that had no answer.
  public let failed = Atomic<Int>(0)
  /// Of these, those whose server was out of reach.
  public let denied = Atomic<Int>(0)

  /// Nothing has happened yet.
  public init() {}
}
