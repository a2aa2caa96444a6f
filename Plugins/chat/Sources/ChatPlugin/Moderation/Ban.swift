internal import PluginKit

/// That a user may not write in a channel, or in none of the app's.
struct Ban: Codable, Equatable {
  /// `type:id`; nil for all channels of the app.
  let channel: String?
  let userID: String
  /// Whether he is not to know: what he says is answered to him, and nobody else hears of it.
  let isShadow: Bool
  let reason: String?
  /// Absent when the app's server has banned him.
  let bannedBy: String?
  /// nil is never.
  let expiresAt: Timestamp?
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case isShadow = "shadow"
    case reason
    case bannedBy = "banned_by"
    case expiresAt = "expires_at"
    case createdAt = "created_at"
  }

  /// The most that hold at a time, in a channel and for the whole app.
  static let limit = 10_000

  /// What a statement selects from `chat_bans b` to decode one.
  static let columns = """
    CASE WHEN b.type = '' THEN NULL ELSE b.type || ':' || b.channel END AS channel, b.user_id,
    b.shadow, b.reason, b.banned_by, b.expires_at, b.created_at
    """

  /// For the user.
  var words: String {
    let place = channel ?? "this app's channels"
    guard let expiresAt else { return "The user is banned from writing in \(place)." }
    return "The user is banned from writing in \(place) until \(expiresAt.rfc3339)."
  }
}

extension ChannelAddress {
  /// The ban of a user that counts here, if there is one: one that he knows of before others, then the one that ends last.
  func bans(of user: String, at now: Timestamp) -> SQL {
    """
    SELECT \(raw: Ban.columns) FROM chat_bans b
    WHERE b.user_id = \(user)
      AND ((b.type = '' AND b.channel = '') OR (b.type = \(type) AND b.channel = \(id)))
      AND (b.expires_at IS NULL OR b.expires_at > \(now))
    ORDER BY b.shadow, CASE WHEN b.expires_at IS NULL THEN 1 ELSE 0 END DESC, b.expires_at DESC
    LIMIT 1
    """
  }
}
