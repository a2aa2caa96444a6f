internal import PluginKit

/// Who a user is to an issuer that the app trusts: by whose tokens somebody is let in as a user with another id, such as one who was a guest.
struct UserIdentity: Codable, Equatable {
  /// `iss`
  var issuer: String
  /// `sub`, without the prefix that the issuer's users have here.
  var subject: String
}

extension Users {
  /// The user who has an identity; nil where nobody has.
  func user(with identity: UserIdentity) async throws -> String? {
    try await context.store.read(
      """
      SELECT id FROM auth_users
      WHERE identity_issuer = \(identity.issuer) AND identity_subject = \(identity.subject)
      """
    ).first?["id", String.self]
  }

  /// Refuses an identity that no token could show.
  ///
  /// - Throws: `Problem` 400 that points into `/identity`.
  func check(_ identity: UserIdentity) throws {
    guard let issuer = issuers[identity.issuer] else {
      throw Problem.invalid(
        pointer: "/identity/issuer",
        "The app trusts no issuer of this name: see its setting issuers.")
    }
    if let refusal = UserID.refusal(of: issuer.userPrefix + identity.subject) {
      throw Problem.invalid(pointer: "/identity/subject", refusal)
    }
  }
}
