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
      "SELECT id, email, name FROM auth_accounts WHERE id IN (\(each: query.ids))")
    return AccountsReply(accounts: try rows.decode())
  }
}
