internal import PluginKit

/// What an attempt means: for the delivery, and for the endpoint's health.
struct Verdict {
  enum Ending { case succeeded, retried, failed }

  let ending: Ending
  /// When it is tried again.
  let nextAt: Timestamp?
  /// Why the endpoint is disabled by it; nil: it is not.
  let disabling: Endpoint.Reason?
  let failingSince: Timestamp?
  let toldAt: Timestamp?
  /// Whether somebody is told now that the endpoint fails.
  let isTelling: Bool

  /// Whether it was another URL that answered than the endpoint's present one.
  let isFormer: Bool

  var hasEnded: Bool { ending != .retried }
  var isDisabling: Bool { disabling != nil }

  /// The delivery's state.
  var state: String {
    switch ending {
    case .succeeded: "succeeded"
    case .retried: "pending"
    case .failed: "failed"
    }
  }

  /// - Parameter chance: from 0 up to 1, at random.
  init(
    _ outcome: Outcome, _ attempt: Attempt, _ endpoint: Endpoint, _ settings: WebhookSettings,
    at now: Timestamp, chance: Double
  ) throws {
    let due = attempt.due
    isFormer = attempt.url != endpoint.url
    guard !outcome.isSuccess else {
      (ending, nextAt, disabling, isTelling) = (.succeeded, nil, nil, false)
      (failingSince, toldAt) = isFormer ? (endpoint.failingSince, endpoint.toldAt) : (nil, nil)
      return
    }
    let since = isFormer ? endpoint.failingSince : endpoint.failingSince ?? now
    let failing = now.unixMilliseconds - (since ?? now).unixMilliseconds
    failingSince = since
    let isEnabled = endpoint.state == .enabled && !isFormer
    if outcome.isGone {
      disabling = isEnabled ? .gone : nil
    } else {
      disabling = isEnabled && failing >= settings.disableAfterSeconds * 1_000 ? .failing : nil
    }
    isTelling =
      isEnabled && disabling == nil && endpoint.toldAt == nil
      && failing >= settings.failingAfterSeconds * 1_000
    toldAt = isTelling || disabling != nil ? endpoint.toldAt ?? now : endpoint.toldAt
    let made = due.attempts + 1 - due.attemptsBefore
    let scheduled = settings.next(after: made, at: now, chance: chance)
    guard isFormer || !outcome.isGone, var next = scheduled else {
      (ending, nextAt) = (.failed, nil)
      return
    }
    if let pause = outcome.pause {
      // What the endpoint says holds, within bounds: it knows when it can be asked again.
      let clamped = min(max(pause, 1_000), settings.retryAfterSeconds * 1_000)
      next = max(next, now.adding(milliseconds: clamped))
    }
    (ending, nextAt) = (.retried, next)
  }
}
