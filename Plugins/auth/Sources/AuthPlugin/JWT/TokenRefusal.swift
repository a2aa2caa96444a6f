/// Why a credential is not let in. Whoever holds a genuine one is told; anybody else hears no more than 401.
enum TokenRefusal: Error, Equatable {
  /// Not a JWS in compact form with JSON header and claims.
  case malformed
  /// The header asks for an algorithm that this tenant does not use; `none` among them.
  case wrongAlgorithm
  /// The header has what must be understood and is not (`crit`), or is not of a JWT.
  case unsupportedHeader
  /// Signed with a key that is not the issuer's, or does not say with which of several.
  case unknownKey
  case badSignature
  /// The claim is missing or has a type that it must not have.
  case badClaim(String)
  /// Issued by somebody else.
  case foreignIssuer
  /// Meant for somebody else.
  case foreignAudience
  case expired
  /// Issued, or good from, a moment that has not come.
  case notYetValid
  /// The app has no signing secret.
  case noSecret
  /// The user's tokens were revoked after it was issued, or it does not say when it was.
  case revoked
  /// The account's session was ended, or there is none.
  case sessionEnded

  /// Whether it is said of tokens alone whose signature was found to be right.
  var isOfGenuineToken: Bool {
    switch self {
    case .badClaim, .foreignIssuer, .foreignAudience, .expired, .notYetValid, .revoked,
      .sessionEnded:
      true
    case .malformed, .wrongAlgorithm, .unsupportedHeader, .unknownKey, .badSignature, .noSecret:
      false
    }
  }

  /// A sentence.
  var reason: String {
    switch self {
    case .malformed: "The token is malformed."
    case .wrongAlgorithm: "The token's algorithm is not the one that is used here."
    case .unsupportedHeader: "The token's header asks for what is not supported."
    case .unknownKey: "The credential's key is not known."
    case .badSignature: "The token's signature is wrong."
    case .badClaim(let name): "The token's claim \"\(name)\" is missing or malformed."
    case .foreignIssuer: "The token was issued by somebody else."
    case .foreignAudience: "The token is meant for somebody else."
    case .expired: "The credential has expired."
    case .notYetValid: "The token is not valid yet."
    case .noSecret: "The app has no signing secret."
    case .revoked: "The user's tokens were revoked after it was issued."
    case .sessionEnded: "The token's session has ended."
    }
  }
}
