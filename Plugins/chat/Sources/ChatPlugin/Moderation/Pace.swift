internal import PluginKit

/// How many messages a user may send to a channel in some time.
struct MessageRate: Decodable, Sendable, Equatable {
  let messages: Int
  let seconds: Int64
}

/// How often users may write: slow mode, which is a channel's or its type's, and the type's rate.
struct Pace: Sendable, Equatable {
  /// Seconds between two messages of a user, in channels that say nothing else; 0 is none.
  let slowMode: Int64
  let rate: MessageRate?

  /// Whether it has to be looked at with every message, and not only where a channel is slow.
  var isOfType: Bool { slowMode > 0 || rate != nil }
}

extension ChannelAddress {
  /// One row if a user may write now, to be expected in a batch that also has `keepPace`.
  func mayWrite(_ user: String, _ type: ChannelType, at now: Timestamp) -> SQL {
    let pace = type.pace
    let milliseconds = now.unixMilliseconds
    return SQL(
      """
      SELECT 1 AS may FROM (
        SELECT coalesce((SELECT role FROM chat_members
          WHERE type = \(self.type) AND channel = \(id) AND user_id = \(user)), \(Role.user)) AS role
      ) AS mine
      WHERE NOT EXISTS (SELECT 1 FROM chat_pace p
        WHERE p.type = \(self.type) AND p.channel = \(id) AND p.user_id = \(user)
          AND ((mine.role NOT IN (\(each: type.grants.roles(that: .skipSlowMode)))
              AND p.sent_at BETWEEN \(milliseconds) - 1000 * coalesce((SELECT c.slow_mode_seconds
                FROM chat_channels c WHERE c.type = \(self.type) AND c.id = \(id)), \(pace.slowMode)) + 1
                AND \(milliseconds))
            OR (\(pace.rate != nil) = 1 AND p.sent >= \(pace.rate?.messages ?? 0)
              AND p.window_at BETWEEN \(pace.windowStart(at: now)) AND \(milliseconds))))
      """
    ).expect(exactly: 1)
  }

  /// Counts a message of a user.
  func keepPace(of user: String, _ type: ChannelType, at now: Timestamp) -> SQL {
    let pace = type.pace
    return """
      INSERT INTO chat_pace (type, channel, user_id, sent_at, window_at, sent)
      VALUES (\(self.type), \(id), \(user), \(now), \(now), 1)
      ON CONFLICT (type, channel, user_id) DO UPDATE SET sent_at = excluded.sent_at,
        sent = CASE WHEN chat_pace.window_at BETWEEN \(pace.windowStart(at: now)) AND \(now)
          THEN chat_pace.sent + 1 ELSE 1 END,
        window_at = CASE WHEN chat_pace.window_at BETWEEN \(pace.windowStart(at: now)) AND \(now)
          THEN chat_pace.window_at ELSE excluded.window_at END
      """
  }
}

extension Pace {
  /// Since when messages are counted together with one of now, in Unix milliseconds.
  fileprivate func windowStart(at now: Timestamp) -> Int64 {
    now.unixMilliseconds - 1_000 * (rate?.seconds ?? 0) + 1
  }

  /// What a user is told who writes too often.
  func refusal(in address: ChannelAddress, slowMode: Int64?) -> Problem {
    let slow = slowMode ?? self.slowMode
    var bounds: [String] = []
    if slow > 0 { bounds.append("one message in \(slow) s") }
    if let rate { bounds.append("\(rate.messages) in \(rate.seconds) s") }
    return .rateLimited(
      "A user sends at most \(bounds.joined(separator: " and ")) to \(address).")
  }
}
