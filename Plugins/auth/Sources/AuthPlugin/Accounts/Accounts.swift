internal import PluginKit

/// The developers' accounts and their sessions, on one loop of the tenant `platform`.
final class Accounts {
  let settings: AuthSettings
  let accountSettings: AccountSettings
  let context: ShardContext
  let keys: SigningKeys
  let policy: PasswordPolicy
  /// Of all loops.
  let hashing: HashingQueue
  /// Attempts that were refused because there were too many before.
  let throttled: Metric?
  /// Passwords that were not looked at because too many waited.
  let overloads: Metric?
  /// Hashes that were made, to be kept or to be compared with.
  let hashes: Metric?
  /// Those of them that were not because of what waited from the same network.
  let networkOverloads: Metric?
  /// New passwords that were not looked for in the operator's list, because it could not be read.
  let unlisted: Metric?
  /// Whether that list could be read the last time.
  var seesBreachedList = true
  /// Whether the tenant sends mail, once it has been asked.
  var hasMailer: Bool?
  var outbox = Outbox()

  init(
    _ settings: AuthSettings, _ accountSettings: AccountSettings, _ hashing: HashingQueue,
    _ context: ShardContext
  ) {
    self.settings = settings
    self.accountSettings = accountSettings
    self.hashing = hashing
    self.context = context
    policy = PasswordPolicy(accountSettings)
    throttled = try? context.metrics.counter(
      "throttled_total", "Attempts refused because there were too many before.")
    overloads = try? context.metrics.counter(
      "password_overloads_total", "Requests refused because too many passwords waited to be hashed."
    )
    hashes = try? context.metrics.counter(
      "password_hashes_total", "Hashes of passwords made, to be kept or to be compared with.")
    networkOverloads = try? context.metrics.counter(
      "password_network_overloads_total",
      "Requests refused because too many passwords from the same network waited to be hashed.")
    unlisted = try? context.metrics.counter(
      "breached_list_unread_total",
      "New passwords that were not looked for in the list of breached ones, which could not be read."
    )
    keys = SigningKeys(
      context, lifetime: accountSettings.signingKeyDays * 86_400_000,
      tokenLifetime: settings.accessTokenSeconds * 1_000 + Claims.leeway)
    // What was to be handed over when the gateway ended, or when another generation did.
    handOverLetters()
  }

  func now() throws -> Timestamp { try context.clock.now() }
}

/// An account, as its owner sees it.
struct Account: Codable {
  var id: String
  var email: String
  var name: String
  var createdAt: Timestamp
  /// Whether somebody has shown that mail to the address reaches him.
  var emailVerified: Bool
  /// Whether signing in takes a second factor.
  var totpEnabled: Bool

  enum CodingKeys: String, CodingKey {
    case id, email, name
    case createdAt = "created_at"
    case emailVerified = "email_verified"
    case totpEnabled = "totp_enabled"
  }
}

extension Accounts {
  /// What an `Account` is read from.
  static let columns = """
    id, email, name, created_at, email_verified_at IS NOT NULL AS email_verified,
    totp_enabled_at IS NOT NULL AS totp_enabled
    """

  private struct NewAccount: Decodable {
    var email: String
    var password: String
    var name: String
  }

  static let taken = Problem.conflict("There is an account with this e-mail already.")
  static let gone = Problem.notFound("The account does not exist any more.")

  /// `POST /v1/accounts`
  func create(_ request: Request) async throws -> Response {
    let form = try request.decode(NewAccount.self)
    let client = SessionClient(request)
    let email = try EmailAddress(form.email)
    try await take(accountSettings.signUps(from: client.address))
    let known = try await context.store.read(
      "SELECT id FROM auth_accounts WHERE email = \(email.text)")
    // The same work whether the address is taken or not, which the insert below decides.
    let hash: PasswordHash
    do {
      hash = try await self.hash(
        form.password, email: email.text, name: form.name, from: client.address)
    } catch let refusal as Problem {
      throw known.isEmpty ? refusal : Accounts.taken
    }
    let account = Account(
      id: try context.id.make("acc"), email: email.text, name: form.name, createdAt: try now(),
      emailVerified: false, totpEnabled: false)
    var batch = Batch()
    batch.add(insertion(of: account, password: hash, verifiedAt: nil))
    var tokens: TokenPair?
    if !accountSettings.requiresVerifiedEmail {
      let session = try await newSession(of: account.id, for: client, at: account.createdAt)
      session.add(to: &batch)
      tokens = try session.tokens(settings)
    }
    // The first code goes where mail is sent at all.
    let letter =
      try await sendsMail()
      ? try await newLetter(
        .verification, to: account.id, at: account.createdAt, from: client.address) : nil
    for statement in letter?.statements ?? [] { batch.add(statement) }
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(statement: 0, _) {
      throw Accounts.taken
    }
    if letter != nil { handOverLetters() }
    return try .tokens(SessionAnswer(account: account, tokens), status: 201)
  }

  /// The account's row; the batch is a conflict when the address is taken.
  func insertion(of account: Account, password: PasswordHash, verifiedAt: Timestamp?) -> SQL {
    SQL(
      """
      INSERT INTO auth_accounts
        (id, email, name, password, password_kind, created_at, updated_at, email_verified_at)
      VALUES (\(account.id), \(account.email), \(account.name), \(password.text),
        \(password.kind), \(account.createdAt), \(account.createdAt), \(verifiedAt))
      ON CONFLICT (email) DO NOTHING
      """
    ).expect(exactly: 1)
  }

  /// `GET /v1/me`
  func readProfile(_ request: Request) async throws -> Response {
    let rows = try await context.store.read(
      "SELECT \(raw: Accounts.columns) FROM auth_accounts WHERE id = \(request.principal.id)")
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
        RETURNING \(raw: Accounts.columns)
        """)
    }
    return try .json(try Accounts.profile(in: commit.statements[0]))
  }

  private static func profile(in rows: Rows) throws -> Account {
    guard let row = rows.first else { throw Accounts.gone }
    return try row.decode()
  }
}
