internal import PluginKit

extension Users {
  private struct NewToken: Decodable {
    var user: String
    var expiresIn: Int64?
    var claims: [String: RawJSON]?

    enum CodingKeys: String, CodingKey {
      case user = "user_id"
      case expiresIn = "expires_in"
      case claims
    }
  }

  private struct TokenAnswer: Encodable {
    var token: String
  }

  /// `POST /v1/tokens`: what the app's server can also make by itself with the signing secret.
  func createToken(_ request: Request) async throws -> Response {
    let form = try request.decode(NewToken.self)
    if let refusal = UserID.refusal(of: form.user) {
      throw Problem.invalid(pointer: "/user_id", refusal)
    }
    let custom = form.claims ?? [:]
    for name in custom.keys.sorted() where UserClaims.registered.contains(name) {
      throw Problem.invalid(
        pointer: "/claims/\(name)", "The claim \"\(name)\" is set by the gateway.")
    }
    guard let secret = try signingSecret() else {
      throw Problem.unavailable("The app has no signing secret.")
    }
    var issuedAt = try now().unixMilliseconds / 1_000
    // In the second of a revocation, or the minute where the clock of the app's server is ahead, it would be one of those that are revoked.
    if let known = try await revocation(of: form.user, issuer: context.tenant) {
      issuedAt = max(issuedAt, known.firstIssue)
      let wait = issuedAt * 1_000 - Claims.leeway - (try now().unixMilliseconds)
      if wait > 0 { try await context.timers.sleep(milliseconds: Int(wait)) }
    }
    let claims = UserClaims(
      issuer: context.tenant, subject: form.user, issuedAt: issuedAt,
      expiresAt: issuedAt + (form.expiresIn ?? settings.userTokenSeconds), custom: custom)
    return try .tokens(TokenAnswer(token: try token(claims, under: secret)), status: 201)
  }

  /// - Throws: `Problem` for claims of which no token can be made that would be let in.
  func token(_ claims: UserClaims, under secret: [UInt8]) throws -> String {
    let claims = try JSON.encode(claims)
    do {
      // A token that would be refused later is refused here.
      _ = try Claims(claims)
    } catch {
      throw Problem.invalid(pointer: "/claims", "It makes a token of which \(error.reason).")
    }
    let token = try CompactJWS.make(JOSEHeader(algorithm: HS256.algorithm), claims: claims) {
      HS256.sign($0, with: secret)
    }
    guard token.utf8.count <= CompactJWS.limit else {
      throw Problem.invalid(
        pointer: "/claims", "They make a token of more than \(CompactJWS.limit) bytes.")
    }
    return token
  }
}

/// The claims of a user's token: those of RFC 7519 §4.1, then the app's own beside them.
struct UserClaims: Encodable {
  static let registered: Set<String> = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]

  var issuer: String
  var subject: String
  /// Unix seconds, as `expiresAt`.
  var issuedAt: Int64
  var expiresAt: Int64
  var custom: [String: RawJSON]

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) {
      stringValue = name
    }

    init?(stringValue: String) {
      self.stringValue = stringValue
    }

    init?(intValue: Int) {
      nil
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    try container.encode(issuer, forKey: Name("iss"))
    try container.encode(subject, forKey: Name("sub"))
    try container.encode(issuedAt, forKey: Name("iat"))
    try container.encode(expiresAt, forKey: Name("exp"))
    for (name, value) in custom.sorted(by: { $0.key < $1.key }) {
      try container.encode(value, forKey: Name(name))
    }
  }
}
