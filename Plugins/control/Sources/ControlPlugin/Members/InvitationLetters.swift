internal import PluginCrypto
internal import PluginKit

/// The letters with invitations that went out lately: bounded for each account that invites and for each address, over all apps
/// and beyond their ends, since letters go to people who have not asked for them.
struct InvitationLetters {
  /// Over how long an account's letters are counted, in milliseconds.
  private static let day: Int64 = 86_400_000
  /// Over how long those to an address are.
  private static let hour: Int64 = 3_600_000

  private let settings: ControlSettings

  init(_ settings: ControlSettings) {
    self.settings = settings
  }

  /// Two statements that note a letter, each of which is a conflict when there were too many: of the account first, then to the
  /// address. Then one that forgets those that count no more.
  func counting(_ invitation: Invitation) -> [SQL] {
    let now = invitation.createdAt
    let address = Self.digest(invitation)
    return [
      SQL(
        """
        INSERT INTO control_invitation_letters (invitation_id, account_id, address, sent_at)
        SELECT \(invitation.id), \(invitation.invitedBy), \(address), \(now)
        WHERE (SELECT COUNT(*) FROM control_invitation_letters
            WHERE account_id = \(invitation.invitedBy)
              AND sent_at > \(now.adding(milliseconds: -Self.day)))
          < \(settings.invitationsPerAccount)
        """
      ).expect(exactly: 1),
      SQL(
        """
        SELECT 1 AS room WHERE (SELECT COUNT(*) FROM control_invitation_letters
            WHERE address = \(address) AND sent_at > \(now.adding(milliseconds: -Self.hour)))
          <= \(settings.invitationsPerAddress)
        """
      ).expect(exactly: 1),
      """
      DELETE FROM control_invitation_letters
      WHERE sent_at <= \(now.adding(milliseconds: -Self.day))
      """,
    ]
  }

  /// The letter has not gone out.
  static func forgetting(_ invitation: Invitation) -> SQL {
    "DELETE FROM control_invitation_letters WHERE invitation_id = \(invitation.id)"
  }

  var tooManyFromAccount: Problem {
    Problem(
      status: 403, code: "quota_exceeded",
      detail: "An account sends at most \(settings.invitationsPerAccount) invitations a day.")
  }

  var tooManyToAddress: Problem {
    .rateLimited(
      "An address is sent at most \(settings.invitationsPerAddress) invitations an hour. Try again later."
    )
  }

  private static func digest(_ invitation: Invitation) -> String {
    Digest.sha256(invitation.email).hexadecimal
  }
}

extension ControlShard {
  /// The address of an account that invites, which stands in the letter: nobody vouches for one that was never shown to be the
  /// account's own.
  ///
  /// - Throws: `Problem` 403 `email_unverified`; 503 where no mail is sent, so that nothing could be verified or invited.
  func verifiedAddress(of account: String) async throws -> String {
    let known = try await AccountDirectory(context: context).find([account])[account]
    if let known, known.emailVerified == true { return known.email }
    guard try await Letter.areSent(context) else { throw Letter.cannotBeSent }
    throw Problem(
      status: 403, code: "email_unverified",
      detail:
        "Verify your e-mail address before you invite others: POST /v1/accounts/verify takes the code that was sent."
    )
  }
}
