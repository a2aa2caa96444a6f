internal import PluginCrypto
internal import PluginKit

/// What keeps a session going: the session, how many came before it, and a code that nobody can compute without the sealed key and the
/// session's row. So nothing is kept of a token but the number that its session has come to.
struct RefreshToken: Equatable {
  static let prefix = "rt_"
  /// How long after its use a token gives the same successor once more, so that an answer that was lost
  /// on the way does not end the session. In milliseconds.
  static let grace: Int64 = 30_000
  static let nonceLength = 16
  private static let sessionPrefix = "ses_"

  /// How often a session goes on.
  static func rate(of session: String) -> Throttle {
    Throttle("refresh:\(session)", burst: 60, every: 10_000)
  }

  let session: String
  /// 0 is a session's first.
  let number: Int64
  private let code: String

  /// A token of a session.
  ///
  /// - Parameters:
  ///   - nonce: the session's.
  ///   - key: the secret called `Accounts.refreshSecret`.
  init(of session: String, number: Int64, nonce: String, key: [UInt8]) {
    self.session = session
    self.number = number
    code = Base64.url.encode(
      Digest.hmacSHA256(Array("\(session)\u{0}\(number)\u{0}\(nonce)".utf8), key: key))
  }

  /// A token that a client has shown; nil for what none looks like.
  init?(shown text: String) {
    guard text.hasPrefix(RefreshToken.prefix) else { return nil }
    let parts = text.dropFirst(RefreshToken.prefix.count).split(
      separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let number = Int64(parts[1]), number >= 0 else { return nil }
    session = RefreshToken.sessionPrefix + parts[0]
    self.number = number
    code = String(parts[2])
    // Of each there is one spelling: no sign, no zeros in front.
    guard self.text == text else { return nil }
  }

  /// As a client has it.
  var text: String {
    "\(RefreshToken.prefix)\(session.dropFirst(RefreshToken.sessionPrefix.count)).\(number).\(code)"
  }

  /// Whether it is what was made for the session, in a time that tells nothing of where it is not.
  func isGenuine(nonce: String, key: [UInt8]) -> Bool {
    let genuine = RefreshToken(of: session, number: number, nonce: nonce, key: key)
    return Digest.areEqual(Array(code.utf8), Array(genuine.code.utf8))
  }
}

/// A token of before, each of which was a row of its own: the client has the text, the store its SHA-256. One that is used leads to the tokens of
/// today.
struct FormerRefreshToken {
  let text: String

  var digest: String { Digest.sha256(Array(text.utf8)).hexadecimal }

  /// The one that took its place while there were others like it, computed so that it can be given twice.
  func successor(under key: [UInt8]) -> FormerRefreshToken {
    FormerRefreshToken(
      text: RefreshToken.prefix + Base64.url.encode(Digest.hmacSHA256(Array(text.utf8), key: key)))
  }
}
