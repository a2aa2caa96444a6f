internal import PluginKit

/// What an account's owner shows: the password, and the second factor where there is one.
struct OwnerProof: Decodable {
  var password: String
  var totp: String?
  var recoveryCode: String?

  enum CodingKeys: String, CodingKey {
    case password, totp
    case recoveryCode = "recovery_code"
  }

  /// Refuses what shows the factor twice, before anything of it is looked at or used up.
  func requireOneFactor() throws {
    guard totp == nil || recoveryCode == nil else {
      throw Problem.invalid(
        pointer: "/recovery_code",
        "Give totp or recovery_code, not both: a recovery code is good once.")
    }
  }
}

/// The same beside an e-mail address.
struct AddressedProof: Decodable {
  let email: String
  let proof: OwnerProof

  private enum CodingKeys: CodingKey { case email }

  init(from decoder: any Decoder) throws {
    email = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .email)
    proof = try OwnerProof(from: decoder)
  }
}

extension Accounts {
  /// Fails a batch where an account is not as it was when its owner was looked at, which took its time.
  static func unchanged(_ account: Account, password: String?) -> SQL {
    SQL(
      """
      UPDATE auth_accounts SET updated_at = updated_at
      WHERE id = \(account.id) AND password = \(password)
        AND totp_enabled_at IS \(raw: account.totpEnabled ? "NOT NULL" : "NULL")
      """
    ).expect(exactly: 1)
  }

  /// Commits what an owner has shown the second factor for.
  ///
  /// - Parameters:
  ///   - batch: begins with what `secondFactor` asked for, if that was anything.
  ///   - problem: what is said when something else has changed meanwhile.
  /// - Throws: `badTotp` when the factor was used meanwhile; `problem`.
  func commit(_ batch: Batch, behind factor: [SQL], else problem: Problem) async throws {
    do {
      try await context.store.commit(batch)
      // Among what a recovery code asks for is a letter.
      if !factor.isEmpty { handOverLetters() }
    } catch StoreError.conflict(statement: 0, _) where !factor.isEmpty {
      throw Accounts.badTotp
    } catch StoreError.conflict {
      throw problem
    }
  }
}
