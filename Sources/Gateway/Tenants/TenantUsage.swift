internal import Synchronization

/// What one tenant uses, over all loops, and what its plan lets it use. [any-thread]
///
/// Loops count for themselves and add what they have counted once a second, so a bound on what comes in a month is kept to
/// within a second of traffic. Connections are counted one by one, and their bound is kept to the letter.
public final class TenantUsage: Sendable {
  private let bounds: Mutex<Quotas>
  private let open = Atomic<Int>(0)
  /// The most that were open at once since ``take()``.
  private let peak = Atomic<Int>(0)
  private let connectionBound: Atomic<Int>
  /// Since ``take()``.
  private let requests = Atomic<Int>(0)
  private let messages = Atomic<Int>(0)
  /// Since the month began.
  private let monthRequests = Atomic<Int>(0)
  private let monthMessages = Atomic<Int>(0)
  private let storage = Atomic<Int>(0)
  /// A bit for each quota that loops look at and that is used up.
  private let exceeded = Atomic<UInt32>(0)

  /// What came since it was taken last.
  public struct Counts: Sendable, Equatable {
    /// Requests that were let in.
    public var requests: Int
    /// Messages of clients over WebSockets.
    public var messages: Int
    /// Connections, as of ``Quota/connections``, that were open at once, at most.
    public var connections: Int

    /// Nothing.
    public init(requests: Int = 0, messages: Int = 0, connections: Int = 0) {
      self.requests = requests
      self.messages = messages
      self.connections = connections
    }

    /// Whether there is nothing to keep.
    public var isEmpty: Bool { requests == 0 && messages == 0 && connections == 0 }
  }

  /// A tenant that has used nothing yet.
  public init(_ quotas: Quotas = Quotas()) {
    bounds = Mutex(quotas)
    connectionBound = Atomic(quotas[.connections])
  }

  // MARK: - what loops do

  /// Adds what a loop has counted.
  func add(requests: Int, messages: Int) {
    self.requests.add(requests, ordering: .relaxed)
    self.messages.add(messages, ordering: .relaxed)
    monthRequests.add(requests, ordering: .relaxed)
    monthMessages.add(messages, ordering: .relaxed)
    judge()
  }

  /// Counts a connection; false, and not counted, when there are as many as the plan lets be open.
  func enter() -> Bool {
    let count = open.add(1, ordering: .relaxed).newValue
    let bound = connectionBound.load(ordering: .relaxed)
    guard bound == 0 || count <= bound else {
      open.subtract(1, ordering: .relaxed)
      return false
    }
    var known = peak.load(ordering: .relaxed)
    while known < count {
      let (exchanged, original) = peak.weakCompareExchange(
        expected: known, desired: count, ordering: .relaxed)
      if exchanged { break }
      known = original
    }
    return true
  }

  /// A connection that was counted is gone.
  func leave() { open.subtract(1, ordering: .relaxed) }

  /// A bit for each quota that is used up.
  var exceededBits: UInt32 { exceeded.load(ordering: .relaxed) }

  // MARK: - what the ledger does

  /// What came since the last time; from now on it counts from nothing, and from the connections that are open.
  public func take() -> Counts {
    let now = open.load(ordering: .relaxed)
    return Counts(
      requests: requests.exchange(0, ordering: .relaxed),
      messages: messages.exchange(0, ordering: .relaxed),
      connections: max(peak.exchange(now, ordering: .relaxed), now))
  }

  /// Gives back what could not be kept.
  public func giveBack(_ counts: Counts) {
    requests.add(counts.requests, ordering: .relaxed)
    messages.add(counts.messages, ordering: .relaxed)
  }

  /// Puts another plan in force.
  public func set(_ quotas: Quotas) {
    bounds.withLock { $0 = quotas }
    connectionBound.store(quotas[.connections], ordering: .relaxed)
    judge()
  }

  /// A month begins, or the process does in the middle of one: so much was used in it before.
  public func beginMonth(requests: Int = 0, messages: Int = 0) {
    monthRequests.store(requests, ordering: .relaxed)
    monthMessages.store(messages, ordering: .relaxed)
    judge()
  }

  /// The tenant's file has so many bytes.
  public func setStorage(_ bytes: Int) {
    storage.store(bytes, ordering: .relaxed)
    judge()
  }

  /// The bound of a quota, 0 for none, and what is used of it; of plugins nothing is known here.
  public func state(of quota: Quota) -> (limit: Int, used: Int) {
    let used =
      switch quota {
      case .connections: open.load(ordering: .relaxed)
      case .messages: monthMessages.load(ordering: .relaxed)
      case .requests: monthRequests.load(ordering: .relaxed)
      case .storage: storage.load(ordering: .relaxed)
      case .plugins: 0
      }
    return (bounds.withLock { $0[quota] }, used)
  }

  private func judge() {
    var bits: UInt32 = 0
    for quota in [Quota.messages, .requests, .storage] {
      let (limit, used) = state(of: quota)
      if limit > 0, used >= limit { bits |= quota.bit }
    }
    exceeded.store(bits, ordering: .relaxed)
  }
}
