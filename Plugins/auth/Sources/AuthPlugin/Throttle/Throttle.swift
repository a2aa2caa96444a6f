internal import PluginCrypto
internal import PluginKit

/// A rate of attempts by one subject: so many at once, then one for each interval (the generic cell rate algorithm).
///
/// Rates are kept in the tenant's database, so they are one for all loops and outlive a restart.
struct Throttle {
  /// What is counted; a digest where it names somebody.
  let subject: String
  /// How many attempts may come at once.
  let burst: Int64
  /// After how long one more may come, in milliseconds.
  let interval: Int64

  init(_ subject: String, burst: Int64, every interval: Int64) {
    self.subject = subject
    self.burst = burst
    self.interval = interval
  }

  /// A key of the table that names nobody to whoever reads it.
  static func subject(_ kind: String, _ parts: String...) -> String {
    let text = parts.joined(separator: "\u{0}")
    return kind + ":" + Digest.sha256(Array(text.utf8)).hexadecimal
  }

  /// A rate of whoever comes from an address, counted for each of the networks that it is in.
  static func ofNetworks(_ kind: String, _ peer: String, burst: Int64, every interval: Int64)
    -> [Throttle]
  {
    Network.all(of: peer).map { key, share in
      Throttle(subject(kind, key), burst: burst * share, every: max(1, interval / share))
    }
  }

  /// Counts one attempt; the batch is a conflict when there were too many.
  func take(at now: Timestamp) -> SQL {
    let latest = now.adding(milliseconds: (burst - 1) * interval)
    return SQL(
      """
      INSERT INTO auth_throttles (subject, due_at)
      VALUES (\(subject), \(now.adding(milliseconds: interval)))
      ON CONFLICT (subject) DO UPDATE SET due_at =
        CASE WHEN auth_throttles.due_at > \(now) THEN auth_throttles.due_at ELSE \(now) END
        + \(interval)
      WHERE auth_throttles.due_at <= \(latest)
      """
    ).expect(exactly: 1)
  }

  /// Takes back what `take` counted: the attempt was no guess.
  var giveBack: SQL {
    "UPDATE auth_throttles SET due_at = due_at - \(interval) WHERE subject = \(subject)"
  }
}

/// An attempt is refused for now.
struct Throttled: Error {
  /// From when on another one is taken, in seconds from now; at least 1.
  let seconds: Int64
  /// What there is too much of, as a sentence.
  let reason: String

  init(seconds: Int64, _ reason: String = "Too many attempts.") {
    self.seconds = seconds
    self.reason = reason
  }

  /// - Parameters:
  ///   - time: when another one is taken.
  init(until time: Timestamp, from now: Timestamp, _ reason: String = "Too many attempts.") {
    let milliseconds = time.unixMilliseconds - now.unixMilliseconds
    self.init(seconds: max(1, (milliseconds + 999) / 1_000), reason)
  }

  var problem: Problem { .rateLimited("\(reason) Try again in \(seconds) s.") }

  /// The answer, which says when to try again.
  var response: Response { .problem(problem).header("retry-after", "\(seconds)") }
}

extension Accounts {
  /// Counts one attempt against all of `throttles`, or against none.
  ///
  /// - Throws: `Throttled`.
  func take(_ throttles: [Throttle]) async throws {
    let now = try now()
    var batch = Batch()
    batch.isApartFromRequest = true
    for throttle in throttles { batch.add(throttle.take(at: now)) }
    batch.add("DELETE FROM auth_throttles WHERE due_at <= \(now)")
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(let statement, _) {
      guard let statement, throttles.indices.contains(statement) else {
        throw Throttled(seconds: 1)
      }
      throw Throttled(until: try await room(in: throttles[statement]) ?? now, from: now)
    }
  }

  /// Takes back what `take` counted: nobody has looked at the attempt.
  func giveBack(_ throttles: [Throttle]) async throws {
    var batch = Batch()
    batch.isApartFromRequest = true
    for throttle in throttles { batch.add(throttle.giveBack) }
    try await context.store.commit(batch)
  }

  /// When another attempt is taken; nil when nothing has been counted any more.
  func room(in throttle: Throttle) async throws -> Timestamp? {
    let rows = try await context.store.read(
      "SELECT due_at FROM auth_throttles WHERE subject = \(throttle.subject)")
    return try rows.first?["due_at", Timestamp.self]
      .adding(milliseconds: -(throttle.burst - 1) * throttle.interval)
  }
}
