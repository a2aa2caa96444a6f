internal import PluginKit

/// What keeps a session going: the client has the text, the store its SHA-256.
struct RefreshToken {
  static let prefix = "rt_"
  /// How long after its use a token gives the same successor once more, so that an answer that was lost
  /// on the way does not end the session. In milliseconds.
  static let grace: Int64 = 30_000

  /// How often a session goes on: each time leaves a row until the session's end, by which a token that was stolen is noticed.
  static func rate(of session: String) -> Throttle {
    Throttle("refresh:\(session)", burst: 60, every: 10_000)
  }

  let text: String

  /// A token that a client has shown.
  init(shown text: String) {
    self.text = text
  }

  /// The first token of a session, of 32 random bytes.
  init(random: [UInt8]) {
    text = RefreshToken.prefix + Base64URL.encode(random)
  }

  var digest: String { Digest.sha256(Array(text.utf8)).hexadecimal }

  /// The token that takes this one's place.
  ///
  /// It is computed, so that it can be given twice without being kept: nobody can go from a token to
  /// its successor without `key`, which is sealed.
  func successor(under key: [UInt8]) -> RefreshToken {
    RefreshToken(random: Digest.hmacSHA256(Array(text.utf8), key: key))
  }
}
