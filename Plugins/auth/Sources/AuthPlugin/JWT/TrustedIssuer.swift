internal import PluginKit

/// Somebody else who issues tokens for an app's users, as the app's settings describe it.
struct IssuerSettings: Decodable {
  /// `iss`
  var issuer: String
  /// What its tokens may be signed with.
  var algorithms: [SignatureAlgorithm]
  /// What `aud` must name.
  var audience: String
  var keys: JSONWebKeySet
  /// Set before `sub` to make the user's id, so that no two issuers speak of the same user by chance.
  var userPrefix: String?
  /// The scopes that its tokens may have at most; nil for those of the app's users.
  var scopes: [String]?

  enum CodingKeys: String, CodingKey {
    case issuer, algorithms, audience, keys, scopes
    case userPrefix = "user_prefix"
  }
}

/// An issuer with its keys, ready to verify. Confined like ``VerificationKey``.
final class TrustedIssuer {
  let name: String
  let audience: String
  let userPrefix: String
  let scopes: [String]?
  private let algorithms: [SignatureAlgorithm]
  private let keys: [VerificationKey]

  /// - Parameter pointer: of the issuer in the settings.
  /// - Throws: what is wrong with it, and where.
  init(_ settings: IssuerSettings, at pointer: String) throws(ConfigurationError) {
    name = settings.issuer
    audience = settings.audience
    userPrefix = settings.userPrefix ?? ""
    scopes = settings.scopes
    algorithms = settings.algorithms
    func refuse(_ place: String, _ message: String) -> ConfigurationError {
      ConfigurationError(pointer: pointer + place, message: message)
    }
    if !userPrefix.isEmpty, let refusal = UserID.refusal(of: userPrefix) {
      throw refuse("/user_prefix", refusal)
    }
    guard scopes?.allSatisfy(Claims.isScope) ?? true else {
      throw refuse("/scopes", "A scope is a word of visible ASCII.")
    }
    // Else whoever knows the public keys could try them as the secret (RFC 8725 §2.1).
    guard !algorithms.contains(.hs256) || algorithms == [.hs256] else {
      throw refuse(
        "/algorithms", "HS256 stands alone: its keys are secrets, those of the others are public.")
    }
    var keys: [VerificationKey] = []
    for (index, key) in settings.keys.keys.enumerated() {
      // Sets are published for many purposes; what is of no use here is left out (RFC 7517 §5).
      guard let algorithm = key.usableAlgorithm, algorithms.contains(algorithm) else { continue }
      let place = "/keys/keys/\(index)"
      do throws(KeyRefusal) {
        keys.append(try VerificationKey(key, algorithm))
      } catch {
        throw refuse(place, "The key \(error.message).")
      }
      if keys.dropLast().contains(where: { $0.id == key.id && key.id != nil }) {
        throw refuse(place + "/kid", "Another key has this id.")
      }
    }
    for algorithm in algorithms where !keys.contains(where: { $0.algorithm == algorithm }) {
      throw refuse("/keys", "There is no key for \(algorithm.rawValue).")
    }
    guard keys.count == 1 || keys.allSatisfy({ $0.id != nil }) else {
      throw refuse("/keys", "Of several keys each needs its \"kid\".")
    }
    self.keys = keys
  }

  /// Checks header and signature.
  func verify(_ token: CompactJWS) throws(TokenRefusal) {
    guard let algorithm = SignatureAlgorithm(rawValue: token.header.algorithm),
      algorithms.contains(algorithm)
    else { throw .wrongAlgorithm }
    // RFC 9068 §2.1 has a type of its own for access tokens.
    try token.requirePlain(types: ["jwt", "at+jwt"])
    guard let key = key(token.header.keyID, algorithm) else { throw .unknownKey }
    guard key.verifies(token.signature, of: token.signingInput) else { throw .badSignature }
  }

  private func key(_ id: String?, _ algorithm: SignatureAlgorithm) -> VerificationKey? {
    let found: VerificationKey?
    if keys.count == 1 {
      // There is nothing to choose: an id is only compared.
      let only = keys[0]
      found = id == nil || only.id == nil || only.id == id ? only : nil
    } else {
      found = keys.first { $0.id == id }
    }
    return found?.algorithm == algorithm ? found : nil
  }
}

/// All whom an app trusts besides itself, by name.
struct TrustedIssuers {
  private var byName: [String: TrustedIssuer] = [:]

  /// - Parameter tenant: the app, which no other may be called like.
  /// - Throws: `ConfigurationError` for `issuers` of the settings.
  init(_ settings: [IssuerSettings], of tenant: String) throws(ConfigurationError) {
    for (index, one) in settings.enumerated() {
      let pointer = "/issuers/\(index)"
      // The gateway leads a token that names a tenant to that tenant: it would never come here, or be taken for an account's.
      guard one.issuer == tenant || !TrustedIssuers.isTenant(one.issuer) else {
        throw ConfigurationError(
          pointer: pointer + "/issuer",
          message: "\"\(one.issuer)\" is what the gateway's own tokens are issued by.")
      }
      guard one.issuer != tenant, byName[one.issuer] == nil else {
        throw ConfigurationError(
          pointer: pointer + "/issuer",
          message: one.issuer == tenant
            ? "The app's own tokens are verified with its signing secret."
            : "There is another issuer of this name.")
      }
      byName[one.issuer] = try TrustedIssuer(one, at: pointer)
    }
  }

  /// Whether a name is the platform's, or has the form of an app's.
  private static func isTenant(_ name: String) -> Bool {
    name == "platform" || name.wholeMatch(of: /app_[0-9a-hjkmnp-tv-z]{26}/) != nil
  }

  subscript(_ name: String) -> TrustedIssuer? { byName[name] }

  /// The issuer that a payload names, nothing of which is verified: it only says whose keys to verify with.
  func claimed(by payload: [UInt8]) -> TrustedIssuer? {
    guard !byName.isEmpty, let claim = try? JSON.decode(IssuerClaim.self, from: payload) else {
      return nil
    }
    return claim.iss.flatMap { byName[$0] }
  }
}

private struct IssuerClaim: Decodable {
  var iss: String?
}
