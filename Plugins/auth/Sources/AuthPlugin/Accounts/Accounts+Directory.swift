internal import PluginKit

/// What `sluice.accounts/1` is asked.
struct AccountsQuery: Decodable {
  var ids: [String]
}

/// What `sluice.accounts/1` answers.
struct AccountsReply: Encodable {
  struct Known: Codable {
    var id: String
    var email: String
    var name: String
    var emailVerified: Bool

    enum CodingKeys: String, CodingKey {
      case id, email, name
      case emailVerified = "email_verified"
    }
  }

  var accounts: [Known]
}

extension Accounts {
  /// Ids that one question may hold.
  private static let asked = 100

  /// Those of the accounts that there are.
  func find(_ query: AccountsQuery) async throws -> AccountsReply {
    guard query.ids.count <= Accounts.asked else {
      throw HostError(.invalid, "at most \(Accounts.asked) accounts are asked for at once")
    }
    guard !query.ids.isEmpty else { return AccountsReply(accounts: []) }
    let rows = try await context.store.read(
      "SELECT id, email, name, email_verified_at FROM auth_accounts WHERE id IN (\(each: query.ids))"
    )
    return AccountsReply(
      accounts: try rows.map { row in
        AccountsReply.Known(
          id: try row["id", String.self], email: try row["email", String.self],
          name: try row["name", String.self],
          emailVerified: try row["email_verified_at", Timestamp?.self] != nil)
      })
  }
}
