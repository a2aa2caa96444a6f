internal import CUV
internal import Glibc
internal import Synchronization

/// The state of one loop, in memory that C callbacks reach without reference counting.
///
/// All of it belongs to the loop's thread, but for the atomics, which any thread may read.
struct LoopCore: ~Copyable {
  static let readCapacity = 64 * 1024
  static let outputBound = 256 * 1024
  /// Calls that one drain runs before sockets get their turn again.
  static let drainLimit = 4096
  /// Rounds of posts and hooks before a tick ends, for hooks that post and posts that arm hooks.
  static let roundLimit = 8
  static let tickerMilliseconds: UInt64 = 1000

  let uv: UnsafeMutablePointer<uv_loop_t>
  let bell: WakeUpBell
  let wakeUp: UnsafeMutablePointer<uv_poll_t>
  let beforePoll: UnsafeMutablePointer<uv_prepare_t>
  let afterPoll: UnsafeMutablePointer<uv_check_t>
  let spin: UnsafeMutablePointer<uv_idle_t>
  let ticker: UnsafeMutablePointer<uv_timer_t>
  let readBuffer: UnsafeMutablePointer<CChar>
  let output: OutputBuffer
  /// The loop that owns this memory, so never outlived by it.
  let owner: Unmanaged<EventLoop>

  var context: UnsafeMutableRawPointer?
  /// What the loop's own thread has posted.
  var local = WorkQueue()
  /// The empty queue that is exchanged for what other threads have posted.
  var remote = WorkQueue()
  var tickHooks = HookTable()
  var tickerHooks = HookTable()
  var lingering = DeadlineList(duration: 5000)
  var openStreams = 0
  var unixMilliseconds: UInt64 = 0
  var nextTick: UInt64 = 0
  /// Nanoseconds of the longest tick since somebody asked.
  var longestTick: UInt64 = 0
  var isSpinning = false

  let thread = Atomic<UInt>(0)
  let busySince = Atomic<UInt64>(0)
  let lag = Atomic<UInt64>(0)
  let lostJobs = Atomic<Int>(0)

  init(
    uv: UnsafeMutablePointer<uv_loop_t>, bell: WakeUpBell, wakeUp: UnsafeMutablePointer<uv_poll_t>,
    owner: Unmanaged<EventLoop>
  ) {
    self.uv = uv
    self.bell = bell
    self.wakeUp = wakeUp
    self.owner = owner
    beforePoll = .allocate(capacity: 1)
    afterPoll = .allocate(capacity: 1)
    spin = .allocate(capacity: 1)
    ticker = .allocate(capacity: 1)
    readBuffer = .allocate(capacity: Self.readCapacity)
    output = .make(bound: Self.outputBound)
  }

  /// Marks the loop as busy; every entry from libuv calls it first.
  ///
  /// libuv has no hook between the poll and the first callback, so the first callback is the hook.
  @inline(__always)
  func enter() {
    if busySince.load(ordering: .relaxed) == 0 {
      busySince.store(uv_hrtime(), ordering: .relaxed)
    }
  }

  /// Ends the tick for ``enter()``, and notes how long it was.
  ///
  /// libuv reads its clock when the callbacks of a poll have returned, so this reads none. Milliseconds are exact enough for
  /// ticks that are too long; timers, which run after that reading, measure themselves.
  @inline(__always)
  mutating func leave() {
    let since = busySince.load(ordering: .relaxed)
    guard since != 0 else { return }
    busySince.store(0, ordering: .relaxed)
    let end = uv_now(uv) &* 1_000_000
    if end > since, end - since > longestTick { longestTick = end - since }
  }

  /// Notes how long the running tick is so far.
  mutating func measureTick() {
    let since = busySince.load(ordering: .relaxed)
    let now = uv_hrtime()
    if since != 0, now > since { longestTick = max(longestTick, now - since) }
  }

  /// Frees what the core owns; it is not to be used again.
  mutating func destroy() {
    local.discard()
    remote.discard()
    beforePoll.deallocate()
    afterPoll.deallocate()
    spin.deallocate()
    ticker.deallocate()
    readBuffer.deallocate()
    output.destroy()
  }
}

typealias CorePointer = UnsafeMutablePointer<LoopCore>

// The callbacks run below change the core themselves, so nothing here holds an access to it, as a
// mutating method of `LoopCore` would, while one runs.
extension UnsafeMutablePointer where Pointee == LoopCore {
  private var hasWork: Bool { !(pointee.local.isEmpty && pointee.tickHooks.isQuiet) }

  /// Runs local posts, jobs and armed hooks until none is left or the round limit is met.
  func finishTick() {
    var rounds = 0
    while hasWork && rounds < LoopCore.roundLimit {
      pointee.enter()
      drainLocal()
      runArmedHooks()
      rounds += 1
    }
  }

  private func drainLocal() {
    var left = LoopCore.drainLimit
    while left > 0, let item = pointee.local.pop() {
      item.function(item.a, item.b)
      left -= 1
    }
  }

  /// Calls what is armed now; what is armed meanwhile waits for the next round.
  private func runArmedHooks() {
    var bits = pointee.tickHooks.takeArmed()
    while bits != 0 {
      let hook = pointee.tickHooks[bits.trailingZeroBitCount]
      bits &= bits - 1
      hook.function(hook.context)
    }
  }

  /// Keeps the coming poll from blocking while there is work that a tick's limits put off.
  func settleSpin() {
    guard hasWork != pointee.isSpinning else { return }
    pointee.isSpinning = hasWork
    _ = hasWork ? uv_idle_start(pointee.spin, { _ in }) : uv_idle_stop(pointee.spin)
  }

  /// Whether the caller may touch the loop: it is on its thread, or the loop does not run.
  var isCurrentOrIdle: Bool {
    let thread = pointee.thread.load(ordering: .relaxed)
    return thread == 0 || thread == UInt(pthread_self())
  }

  func runTickerHooks() {
    var index = 0
    while index < pointee.tickerHooks.count {
      let hook = pointee.tickerHooks[index]
      index += 1
      hook.function(hook.context)
    }
  }
}

/// The core of the loop that a libuv handle belongs to; every handle of this module keeps it there.
@inline(__always)
func loopCore(of data: UnsafeMutableRawPointer?) -> CorePointer {
  data.unsafelyUnwrapped.assumingMemoryBound(to: LoopCore.self)
}

// MARK: - The phases of a tick

func loopAfterPoll(_ handle: UnsafeMutablePointer<uv_check_t>?) {
  loopCore(of: handle.unsafelyUnwrapped.pointee.data).finishTick()
}

func loopBeforePoll(_ handle: UnsafeMutablePointer<uv_prepare_t>?) {
  let core = loopCore(of: handle.unsafelyUnwrapped.pointee.data)
  // Timers and close callbacks ran after the last `uv_check`; what they left must not wait for I/O.
  core.finishTick()
  core.settleSpin()
  core.pointee.unixMilliseconds = 0
  core.pointee.leave()
}

func loopTicker(_ handle: UnsafeMutablePointer<uv_timer_t>?) {
  let core = loopCore(of: handle.unsafelyUnwrapped.pointee.data)
  core.pointee.enter()
  let now = uv_hrtime()
  let due = core.pointee.nextTick
  core.pointee.lag.store(now > due ? now - due : 0, ordering: .relaxed)
  core.pointee.nextTick = now + LoopCore.tickerMilliseconds * 1_000_000
  closeLingeringStreams(core)
  core.runTickerHooks()
}
