internal import EventLoop
internal import Glibc
internal import Synchronization

/// A value that one thread waits for until another gives it. For starting and stopping only.
final class Answer<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  func give(_ value: Value) { self.value.withLock { $0 = value } }

  func wait() -> Value {
    while true {
      if let value = value.withLock({ $0 }) { return value }
      usleep(200)
    }
  }
}

/// Looks at the loops every few milliseconds and names the plugins that keep them too long.
///
/// `@unchecked Sendable`: the timer belongs to the control thread; other threads only post.
final class Watchdog: @unchecked Sendable {
  private let control: EventLoop
  private var timer: Timer?

  init(_ host: Host) {
    control = host.control
    let budget = UInt64(max(host.configuration.debug.callbackBudgetMilliseconds, 1))
    control.post { [self] in
      timer = control.every(budget) { host.lookForOverstays() }
    }
  }

  /// Stops looking.
  func stop() {
    control.post { [self] in
      timer?.close()
      timer = nil
    }
  }
}
