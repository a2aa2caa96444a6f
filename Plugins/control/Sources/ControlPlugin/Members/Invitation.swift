internal import PluginKit

/// An invitation, as members see it: never its code, of which only the digest is kept.
struct Invitation: Codable, Identifiable {
  var id: String
  /// In lower case.
  var email: String
  var role: Role
  /// The account that has invited.
  var invitedBy: String
  var createdAt: Timestamp
  var expiresAt: Timestamp

  enum CodingKeys: String, CodingKey {
    case id, email, role
    case invitedBy = "invited_by"
    case createdAt = "created_at"
    case expiresAt = "expires_at"
  }
}

/// What of an invitation the audit log remembers.
struct InvitationState: Encodable {
  var email: String
  var role: Role
}

/// `sluice.mailer/1`: a letter on its way. The mailer writes the product's name in the place of `{product}`, and the values in those of
/// their names.
struct Letter: Encodable {
  var to: String
  var subject: String
  var text: String
  var category = "invitation"
  /// What others have written.
  var values: [String: String]

  /// Characters of an app's name that a letter has at most.
  private static let nameLimit = 200

  private struct Reply: Decodable {
    var id: String
  }

  static let cannotBeSent = Problem.unavailable("No letters can be sent now. Try again later.")

  /// Whether anybody sends letters.
  static func areSent(_ context: ShardContext) async throws -> Bool {
    do {
      // A method that nobody has: whoever is there says so.
      _ = try await context.services.call("sluice.mailer/1", method: 0, bytes: [])
    } catch let error as HostError {
      return error.status != .notFound
    }
    return true
  }

  /// Hands the letter to whoever sends letters; it is kept there when this returns.
  ///
  /// - Throws: `Problem` 503 when nobody does, or cannot now.
  func send(_ context: ShardContext) async throws {
    do {
      let _: Reply = try await context.services.call("sluice.mailer/1", method: 1, self)
    } catch let error as HostError {
      context.log.warning("a letter was not taken", ["error": "\(error)"])
      throw Letter.cannotBeSent
    }
  }

  /// The letter that brings an invitation.
  ///
  /// - Parameters:
  ///   - page: the operator's address with `{code}` in it; nil where there is none.
  ///   - inviter: the inviter's address, to which mail arrives.
  init(_ invitation: Invitation, code: String, app: App, from inviter: String, page: String?) {
    to = invitation.email
    subject = "{product}: you are invited to an app"
    // The name is the inviter's to choose: one line, and nothing that looks like a part of this letter.
    let name = String(
      String.UnicodeScalarView(
        app.name.unicodeScalars.filter {
          !$0.properties.isDefaultIgnorableCodePoint && $0.properties.generalCategory != .control
            && $0.properties.generalCategory != .lineSeparator
            && $0.properties.generalCategory != .paragraphSeparator
        }.prefix(Letter.nameLimit)))
    values = ["inviter": inviter, "app": name]
    let how =
      page.map { "Accept it at\n\n  \(Letter.filled($0, with: code))\n" }
      ?? "Sign in with this e-mail address and accept it with the code\n\n  \(code)\n"
    text = """
      {inviter} invites you to the app "{app}", as \(invitation.role.rawValue).

      \(how)
      It is good until \(invitation.expiresAt.rfc3339). If you do not know what this is about, do nothing.

      {product}
      """
  }

  /// The text with the code in the place of `{code}`.
  private static func filled(_ page: String, with code: String) -> String {
    var parts = page.split(separator: "{code}", omittingEmptySubsequences: false)
    if parts.count == 1 { parts.append("") }
    return parts.joined(separator: code)
  }
}
