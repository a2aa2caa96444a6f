internal import PluginKit

/// That a user may not write in a channel, or in none of the app's.
struct Ban: Decodable {
  /// "" for all channels of the app, as is `channel`.
  let type: String
  let channel: String
  /// Whether he is not to know: what he says is answered to him, and nobody else hears of it.
  let isShadow: Bool
  /// nil is never.
  let expiresAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case type, channel
    case isShadow = "shadow"
    case expiresAt = "expires_at"
  }

  /// For the user.
  var words: String {
    let place = type.isEmpty ? "this app's channels" : "\(type):\(channel)"
    guard let expiresAt else { return "The user is banned from writing in \(place)." }
    return "The user is banned from writing in \(place) until \(expiresAt.rfc3339)."
  }
}

extension ChannelAddress {
  /// The ban of a user that counts here, if there is one: one that he knows of before others, then the one that ends last.
  func bans(of user: String, at now: Timestamp) -> SQL {
    """
    SELECT type, channel, shadow, expires_at FROM chat_bans
    WHERE user_id = \(user) AND ((type = '' AND channel = '') OR (type = \(type) AND channel = \(id)))
      AND (expires_at IS NULL OR expires_at > \(now))
    ORDER BY shadow, CASE WHEN expires_at IS NULL THEN 1 ELSE 0 END DESC, expires_at DESC LIMIT 1
    """
  }
}
