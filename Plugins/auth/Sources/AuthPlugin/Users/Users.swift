internal import PluginKit

/// An app's users, on one loop of the app's tenant.
final class Users {
  let settings: AuthSettings
  let context: ShardContext
  /// Whom the app trusts besides itself.
  let issuers: TrustedIssuers
  /// When this loop has noted last that an issuer's clock is ahead. As many as there are issuers.
  var clocksNoted: [String: Timestamp] = [:]

  /// - Throws: `ConfigurationError`, which the settings were checked for when the instance was made.
  init(_ settings: AuthSettings, _ context: ShardContext) throws {
    self.settings = settings
    self.context = context
    issuers = try TrustedIssuers(settings.issuers, of: context.tenant)
    beginForgettingGuests()
  }

  func now() throws -> Timestamp { try context.clock.now() }

  /// What the app and its servers sign users' tokens with: the bytes of the text that was shown when
  /// the app was made.
  func signingSecret() throws -> [UInt8]? {
    try context.secrets.get("tenant.signing")
  }

  /// Signing secrets that were rotated out, each with the time before which tokens under it are good, newest first; of some
  /// that time is over. The host keeps them as `rotate_secret` in `sluice/ext/tenants.h` says.
  func formerSecrets() throws -> [(secret: [UInt8], until: Timestamp)] {
    let lines = try context.secrets.get("tenant.signing.previous") ?? []
    return lines.split(separator: 0x0A).compactMap { line in
      guard let end = line.firstIndex(of: 0x20),
        let until = Int64(String(decoding: line[..<end], as: UTF8.self))
      else { return nil }
      return (Array(line[(end + 1)...]), Timestamp(unixMilliseconds: until))
    }
  }
}

/// A user, as the app's server sees it.
struct User: Decodable {
  var id: String
  var name: String?
  var image: String?
  /// An object of the app's own making.
  var custom: RawJSON
  var createdAt: Timestamp
  var updatedAt: Timestamp
  /// Until when the user is a guest; nil for one who is here to stay.
  var guestUntil: Timestamp?
  private var identityIssuer: String?
  private var identitySubject: String?

  enum CodingKeys: String, CodingKey {
    case id, name, image, custom
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case guestUntil = "guest_until"
    case identityIssuer = "identity_issuer"
    case identitySubject = "identity_subject"
  }

  /// The columns that a user is read from.
  static let columns =
    "id, name, image, custom, created_at, updated_at, guest_until, identity_issuer, identity_subject"
}

extension User: Encodable {
  private enum ShownKeys: String, CodingKey {
    case id, name, image, custom, identity
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case guestUntil = "guest_until"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: ShownKeys.self)
    try container.encode(id, forKey: .id)
    try container.encodeIfPresent(name, forKey: .name)
    try container.encodeIfPresent(image, forKey: .image)
    try container.encode(custom, forKey: .custom)
    try container.encode(createdAt, forKey: .createdAt)
    try container.encode(updatedAt, forKey: .updatedAt)
    try container.encodeIfPresent(guestUntil, forKey: .guestUntil)
    if let identityIssuer, let identitySubject {
      try container.encode(
        UserIdentity(issuer: identityIssuer, subject: identitySubject), forKey: .identity)
    }
  }
}

extension Users {
  /// What an app says of a user.
  struct Profile: Decodable {
    var name: String?
    var image: String?
    var custom: RawJSON?

    /// Empty says that there is none.
    var picture: String? { image.flatMap { $0.isEmpty ? nil : $0 } }
  }

  /// `PUT /v1/users/{id}`: makes the user, or replaces all that is known of one.
  func put(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    if let refusal = UserID.refusal(of: id) {
      throw Problem.invalid(pointer: "/path/id", refusal)
    }
    let profile = try request.decode(Profile.self)
    let now = try now()
    let commit: Commit
    do {
      commit = try await context.store.commit {
        SQL(
          """
          INSERT INTO auth_users (id, name, image, custom, created_at, updated_at)
          VALUES (\(id), \(profile.name), \(profile.picture), \(profile.custom ?? "{}"), \(now), \(now))
          ON CONFLICT (id) DO UPDATE SET name = excluded.name, image = excluded.image,
            custom = excluded.custom, updated_at = excluded.updated_at
            WHERE auth_users.guest_until IS NULL OR auth_users.guest_until > \(now)
          RETURNING \(raw: User.columns)
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict {
      throw Problem.gone(
        "The guest's time is over. One who is to stay is upgraded before: POST /v1/users/{id}/upgrade."
      )
    }
    return try .json(try commit.statements[0][0].decode(User.self))
  }

  /// `GET /v1/users`, in the order of their ids.
  func list(_ request: Request) async throws -> Response {
    let limit = request.query("limit").flatMap { Int($0) } ?? 25
    let rows = try await context.store.read(
      """
      SELECT \(raw: User.columns) FROM auth_users
      WHERE id > \(request.query("after") ?? "") AND (guest_until IS NULL OR guest_until > \(try now()))
      ORDER BY id LIMIT \(limit + 1)
      """)
    let users: [User] = try rows.prefix(limit).map { try $0.decode() }
    return try .json(Page(data: users, next: rows.count > limit ? users.last?.id : nil))
  }

  /// `GET /v1/users/{id}`
  func read(_ request: Request) async throws -> Response {
    let rows = try await context.store.read(
      """
      SELECT \(raw: User.columns) FROM auth_users
      WHERE id = \(try request.parameter(0)) AND (guest_until IS NULL OR guest_until > \(try now()))
      """)
    guard let row = rows.first else { throw Users.unknown }
    return try .json(try row.decode(User.self))
  }

  /// `DELETE /v1/users/{id}`: whoever is forgotten is let in no more by tokens of before.
  func delete(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let known = try await context.store.read(
      "SELECT identity_issuer, identity_subject FROM auth_users WHERE id = \(id)")
    guard let row = known.first else { throw Users.unknown }
    let issuer = try row["identity_issuer", String?.self]
    let subject = try row["identity_subject", String?.self]
    let now = try now()
    do {
      try await endTokens(
        of: id,
        with: Batch {
          SQL(
            """
            DELETE FROM auth_users WHERE id = \(id)
              AND COALESCE(identity_issuer, '') = \(issuer ?? "")
              AND COALESCE(identity_subject, '') = \(subject ?? "")
            """
          ).expect(exactly: 1)
          // Tokens of the identity let in another user from now on, whose they were not.
          if let issuer, let subject {
            revocation(of: (issuers[issuer]?.userPrefix ?? "") + subject, at: now)
          }
        })
    } catch StoreError.conflict {
      throw Problem.conflict("The user was changed meanwhile. Try again.")
    }
    return .empty(204)
  }

  static let unknown = Problem.notFound("There is no such user.")
}
