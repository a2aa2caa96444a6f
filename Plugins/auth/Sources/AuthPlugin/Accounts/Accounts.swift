internal import PluginKit

/// The developers' accounts and their sessions, on one loop of the tenant `platform`.
final class Accounts {
  let settings: AuthSettings
  let context: ShardContext
  let keys: SigningKeys

  init(_ settings: AuthSettings, _ context: ShardContext) {
    self.settings = settings
    self.context = context
    keys = SigningKeys(context)
  }

  func now() throws -> Timestamp { try context.clock.now() }
}

/// An account, as its owner sees it.
struct Account: Codable {
  var id: String
  var email: String
  var name: String
  var createdAt: Timestamp

  enum CodingKeys: String, CodingKey {
    case id, email, name
    case createdAt = "created_at"
  }
}

extension Accounts {
  private struct NewAccount: Decodable {
    var email: String
    var password: String
    var name: String
  }

  private static let taken = Problem.conflict("There is an account with this e-mail already.")

  /// `POST /v1/accounts`
  func create(_ request: Request) async throws -> Response {
    let form = try request.decode(NewAccount.self)
    let email = try EmailAddress(form.email)
    // Asked first so that a taken address costs no hash; decided by the insert below.
    let known = try await context.store.read(
      "SELECT id FROM auth_accounts WHERE email = \(email.text)")
    guard known.isEmpty else { throw Accounts.taken }

    let salt = try context.random.bytes(PasswordHash.saltLength)
    let hash = try await context.worker.run { try PasswordHash(of: form.password, salt: salt) }
    let account = Account(
      id: try context.id.make("acc"), email: email.text, name: form.name, createdAt: try now())
    let session = try await newSession(of: account.id, at: account.createdAt)
    var batch = Batch()
    batch.add(
      SQL(
        """
        INSERT INTO auth_accounts (id, email, name, password, created_at, updated_at)
        VALUES (\(account.id), \(account.email), \(account.name), \(hash.text),
          \(account.createdAt), \(account.createdAt))
        ON CONFLICT (email) DO NOTHING
        """
      ).expect(exactly: 1))
    session.add(to: &batch)
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      throw Accounts.taken
    }
    return try .tokens(SessionAnswer(account: account, try session.tokens(settings)), status: 201)
  }

  /// `GET /v1/me`
  func readProfile(_ request: Request) async throws -> Response {
    let rows = try await context.store.read(
      """
      SELECT id, email, name, created_at FROM auth_accounts WHERE id = \(request.principal.id)
      """)
    return try .json(try Accounts.profile(in: rows))
  }

  private struct ProfileChange: Decodable {
    var name: String?
  }

  /// `PATCH /v1/me`
  func changeProfile(_ request: Request) async throws -> Response {
    let change = try request.decode(ProfileChange.self)
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE auth_accounts
        SET name = COALESCE(\(change.name), name), updated_at = \(try now())
        WHERE id = \(request.principal.id)
        RETURNING id, email, name, created_at
        """)
    }
    return try .json(try Accounts.profile(in: commit.statements[0]))
  }

  private static func profile(in rows: Rows) throws -> Account {
    guard let row = rows.first else {
      throw Problem.notFound("The account does not exist any more.")
    }
    return try row.decode()
  }
}
