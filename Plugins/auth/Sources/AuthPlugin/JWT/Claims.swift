internal import PluginKit

/// The claims that decide whether a JWT lets its bearer in (RFC 7519 §4.1).
struct Claims {
  /// How far the clocks of those who mint tokens may be off, in milliseconds.
  static let leeway: Int64 = 60_000

  let issuer: String
  /// The user's id; of a trusted issuer, that of the user who has the identity, where one has.
  var subject: String
  /// Unix milliseconds, as all times here; nil is never. No number stands for that: a token may name any.
  let expiresAt: Int64?
  let notBefore: Int64?
  let issuedAt: Int64?
  let audience: [String]?
  /// `sid`: the account's session.
  let session: String?
  /// `scopes`; nil for a token that says nothing of them, which is not the same as none.
  let scopes: [String]?
  /// The one channel that the token is for; nil for one that lets its bearer act.
  let channel: String?

  /// Reads the claims of a payload; what they say is not checked.
  ///
  /// - Parameters:
  ///   - defaultIssuer: who is taken for the issuer of a token without `iss`; nil refuses it.
  ///   - mayLackExpiry: whether a token without `exp` is good for ever; else it is refused.
  ///   - userPrefix: what is set before `sub` to make the user's id.
  init(
    _ payload: [UInt8], defaultIssuer: String? = nil, mayLackExpiry: Bool = false,
    userPrefix: String = ""
  ) throws(TokenRefusal) {
    let members: [String: RawJSON]
    do {
      members = try JSON.decode(from: payload)
    } catch {
      throw .malformed
    }
    func claim<Value: Decodable>(
      _ name: String, _: Value.Type = Value.self
    ) throws(TokenRefusal) -> Value? {
      guard let member = members[name] else { return nil }
      do {
        return try member.decode(Value.self)
      } catch {
        throw .badClaim(name)
      }
    }
    func time(_ name: String) throws(TokenRefusal) -> Int64? {
      guard let seconds = try claim(name, Double.self) else { return nil }
      // From 1970 to the end of the year 9999.
      guard (0...253_402_300_799).contains(seconds) else { throw .badClaim(name) }
      return Int64(seconds * 1_000)
    }
    guard let issuer: String = try claim("iss") ?? defaultIssuer else { throw .badClaim("iss") }
    guard let name: String = try claim("sub"), !name.isEmpty else { throw .badClaim("sub") }
    let subject = userPrefix + name
    guard UserID.refusal(of: subject) == nil else { throw .badClaim("sub") }
    let expiresAt = try time("exp")
    guard expiresAt != nil || mayLackExpiry else { throw .badClaim("exp") }
    self.issuer = issuer
    self.subject = subject
    self.expiresAt = expiresAt
    notBefore = try time("nbf")
    issuedAt = try time("iat")
    audience = try claim("aud", Audience.self)?.names
    session = try claim("sid")
    scopes = try claim("scopes")
    channel = try claim("channel")
    guard scopes?.allSatisfy(Claims.isScope) ?? true else { throw .badClaim("scopes") }
  }

  /// Checks issuer, audience and times for the tenant called `tenant` at `now`.
  func check(tenant: String, now: Timestamp) throws(TokenRefusal) {
    guard issuer == tenant else { throw .foreignIssuer }
    if let audience, !audience.contains(tenant) { throw .foreignAudience }
    try checkTimes(now: now)
  }

  /// Checks audience and times of a token of `issuer`, which may issue tokens for others too, so that the audience is
  /// needed (RFC 8725 §3.9).
  func check(issuer: TrustedIssuer, now: Timestamp) throws(TokenRefusal) {
    guard self.issuer == issuer.name else { throw .foreignIssuer }
    guard audience?.contains(issuer.audience) == true else { throw .foreignAudience }
    try checkTimes(now: now)
  }

  private func checkTimes(now: Timestamp) throws(TokenRefusal) {
    let now = now.unixMilliseconds
    if let voidAt, now >= voidAt { throw .expired }
    if let notBefore, notBefore > now + Claims.leeway { throw .notYetValid }
    if let issuedAt, issuedAt > now + Claims.leeway { throw .notYetValid }
  }

  /// When the token is void for good, in Unix milliseconds; nil is never.
  var voidAt: Int64? { expiresAt.map { $0 + Claims.leeway } }

  /// The host joins scopes by single spaces.
  static func isScope(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
  }
}

/// `aud`: one name or several (RFC 7519 §4.1.3).
private struct Audience: Decodable {
  let names: [String]

  init(from decoder: any Decoder) throws {
    if let one = try? decoder.singleValueContainer().decode(String.self) {
      names = [one]
    } else {
      names = try [String](from: decoder)
    }
  }
}
