internal import PluginKit

/// An account, as whoever keeps them tells of it.
struct KnownAccount: Codable {
  var id: String
  /// In lower case.
  var email: String
  var name: String
  /// Whether mail to the address reaches the owner; absent where nobody has looked.
  var emailVerified: Bool?

  enum CodingKeys: String, CodingKey {
    case id, email, name
    case emailVerified = "email_verified"
  }
}

/// `sluice.accounts/1`: who the accounts are.
struct AccountDirectory {
  let context: ShardContext

  private struct Query: Encodable {
    var ids: [String]
  }

  private struct Reply: Decodable {
    var accounts: [KnownAccount]
  }

  /// Those of the accounts that there are, by id; at most 100 are asked for.
  func find(_ ids: [String]) async throws -> [String: KnownAccount] {
    guard !ids.isEmpty else { return [:] }
    let reply: Reply = try await context.services.call(
      "sluice.accounts/1", method: 1, Query(ids: ids))
    return Dictionary(reply.accounts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }
}
