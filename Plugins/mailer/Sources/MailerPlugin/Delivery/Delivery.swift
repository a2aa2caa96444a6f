internal import PluginKit

/// Takes messages out of the queue, one after the other, while there are any that are due.
final class Delivery {
  /// The longest pause between two attempts, in milliseconds.
  private static let longestPause: Int64 = 3_600_000
  /// How long after an attempt must have ended its message is due again, in milliseconds.
  private static let grace: Int64 = 6_000
  /// The pause after the store could not be asked, in milliseconds.
  private static let storePause = 5_000

  private let settings: MailerSettings
  private let driver: any Driver
  private let queue: Queue
  private let context: ShardContext
  private let interruption = Interruption()
  private var isAtWork = false
  /// Whether messages may have come since the queue was last looked at.
  private var isBehind = false
  private var timer: Timer?
  private let sent: Metric?
  private let failed: Metric?
  private let refused: Metric?

  init(_ settings: MailerSettings, _ driver: any Driver, _ queue: Queue, _ context: ShardContext) {
    self.settings = settings
    self.driver = driver
    self.queue = queue
    self.context = context
    sent = try? context.metrics.counter("sent_total", "Messages delivered.")
    failed = try? context.metrics.counter("failed_total", "Messages given up.")
    refused = try? context.metrics.counter("attempts_failed_total", "Attempts that failed.")
  }

  /// Looks into the queue now, or as soon as what is being done is done.
  func begin() {
    isBehind = true
    guard !isAtWork, !interruption.isSet else { return }
    isAtWork = true
    context.spawn { [self] in
      defer { isAtWork = false }
      do {
        while isBehind, !interruption.isSet {
          isBehind = false
          try await deliverAllDue()
        }
      } catch {
        guard context.isOpen, !interruption.isSet else { return }
        context.log.warning("the queue of messages cannot be used now", ["error": "\(error)"])
        wait(milliseconds: Delivery.storePause)
      }
    }
  }

  /// Breaks off what is under way, and begins nothing more.
  func stop() { interruption.set() }

  /// Delivers what is due, and has a timer wait for what is not.
  private func deliverAllDue() async throws {
    while !interruption.isSet, let due = try await queue.nextDue() {
      let pause = due.unixMilliseconds - (try context.clock.now().unixMilliseconds)
      guard pause <= 0 else { return wait(milliseconds: Int(clamping: pause)) }
      // Nothing, where another loop was first.
      guard let message = try await queue.claim(lease: driver.patience + Delivery.grace) else {
        continue
      }
      try await deliver(message)
    }
  }

  private func deliver(_ message: Queue.Claimed) async throws {
    guard let content = message.content else {
      return try await giveUp(message, "the message can no longer be opened: its key is another")
    }
    let letter = Letter(
      id: message.id, sender: settings.fromAddress, recipient: message.recipient, bytes: content)
    let outcome: Outcome
    do {
      let claimedAt = ContinuousClock.now
      outcome = try await context.worker.run { [driver, interruption] in
        // Too late: another loop may take the message before this attempt is over.
        if claimedAt.duration(to: .now) > .milliseconds(Delivery.grace / 2) { return .interrupted }
        return driver.deliver(letter, until: interruption)
      }
    } catch let error as HostError where error.status == .overloaded {
      // Other tenants' messages fill the worker's queue: not this message's fault.
      try await queue.giveBack(message)
      throw error
    }
    switch outcome {
    case .delivered:
      try await queue.sent(message)
      sent?.add()
      context.log.info("a message was sent", ["id": message.id, "category": message.category])
    case .interrupted:
      try await queue.giveBack(message)
    case .never(let reason):
      refused?.add()
      try await giveUp(message, reason)
    case .later(let reason) where message.attempts >= settings.attempts:
      refused?.add()
      try await giveUp(message, reason)
    case .later(let reason):
      refused?.add()
      let pause = Delivery.pause(after: message.attempts, first: settings.retrySeconds)
      let now = try context.clock.now()
      guard
        try await queue.postpone(message, reason: reason, until: now.adding(milliseconds: pause))
      else { return overtaken(message, reason) }
      context.log.warning(
        "a message could not be sent; it is tried again",
        [
          "id": message.id, "category": message.category, "attempt": message.attempts,
          "pause_seconds": pause / 1_000, "reason": reason,
        ])
    }
  }

  private func giveUp(_ message: Queue.Claimed, _ reason: String) async throws {
    guard try await queue.fail(message, reason: reason) else {
      return overtaken(message, reason)
    }
    failed?.add()
    context.log.error(
      "a message is given up",
      [
        "id": message.id, "category": message.category, "attempts": message.attempts,
        "reason": reason,
      ])
  }

  private func overtaken(_ message: Queue.Claimed, _ reason: String) {
    context.log.warning(
      "an attempt to send a message ended after another had begun",
      ["id": message.id, "attempt": message.attempts, "reason": reason])
  }

  /// The pause after attempt number `attempt`, from 1, in milliseconds: the first one, doubled with each that follows.
  static func pause(after attempt: Int64, first seconds: Int64) -> Int64 {
    let doublings = min(max(attempt - 1, 0), 20)
    return min(seconds * 1_000 << doublings, longestPause)
  }

  private func wait(milliseconds: Int) {
    guard !interruption.isSet else { return }
    if let timer { context.timers.cancel(timer) }
    timer = try? context.timers.after(milliseconds: milliseconds) { [self] in
      timer = nil
      begin()
    }
  }
}
