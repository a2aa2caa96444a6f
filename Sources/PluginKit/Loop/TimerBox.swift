internal import CSluice

/// A timer's action. The context keeps it as long as the timer lives.
final class TimerBox {
  unowned(unsafe) let context: ShardContext
  let repeats: Bool
  let action: () -> Void
  /// What to do when the shard closes before the timer fires.
  let closed: () -> Void
  var token: UInt64 = 0

  init(
    _ context: ShardContext, repeats: Bool, _ action: @escaping () -> Void,
    closed: @escaping () -> Void
  ) {
    self.context = context
    self.repeats = repeats
    self.action = action
    self.closed = closed
  }

  func fire() {
    let context = context
    context.executor.enter()
    if !repeats { context.timerBoxes[token] = nil }
    action()
    context.executor.leave()
  }
}

private func timerFired(_ box: UInt64, _: sluice_status_t, _: sluice_slice_t) {
  Unmanaged<TimerBox>.from(context: box)?.takeUnretainedValue().fire()
}

extension ShardContext {
  func startTimer(
    delay: Int, repeat distance: Int, _ action: @escaping () -> Void,
    closed: @escaping () -> Void = {}
  ) throws -> Timer {
    let (timer, host) = try link.require("sluice.timer/1", sluice_timer_v1_t.self)
    let box = TimerBox(self, repeats: distance > 0, action, closed: closed)
    let number = UInt64(UInt(bitPattern: Unmanaged.passUnretained(box).toOpaque()))
    let token = timer.pointee.start(
      host, UInt64(clamping: delay), UInt64(clamping: distance), timerFired, number)
    guard token != 0 else {
      throw HostError(.overloaded, "The shard has too many timers.")
    }
    box.token = token
    timerBoxes[token] = box
    return Timer(token: token)
  }

  func cancelTimer(_ token: UInt64) {
    guard timerBoxes.removeValue(forKey: token) != nil,
      let (timer, host) = link.find("sluice.timer/1", sluice_timer_v1_t.self)
    else { return }
    _ = timer.pointee.cancel(host, token)
  }

  func sleep(milliseconds: Int) async throws {
    try Task.checkCancellation()
    let sleeper = Sleeper()
    defer { if let timer = sleeper.timer { cancelTimer(timer.token) } }
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        sleeper.begin(continuation)
        do {
          let timer = try startTimer(delay: milliseconds, repeat: 0) {
            sleeper.end(.success(()))
          } closed: {
            sleeper.end(.failure(CancellationError()))
          }
          sleeper.timer = timer
        } catch {
          sleeper.end(.failure(error))
        }
      }
    } onCancel: {
      sleeper.end(.failure(CancellationError()))
    }
  }

  func closeTimers() {
    let boxes = timerBoxes.values
    timerBoxes = [:]
    for box in boxes { box.closed() }
  }
}
