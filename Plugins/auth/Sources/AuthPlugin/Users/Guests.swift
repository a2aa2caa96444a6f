internal import PluginKit

/// Guests: users whom nobody knows, made by the app's clients for themselves, for a while.
extension Users {
  private struct Arrival: Decodable {
    var name: String?
  }

  private struct Welcome: Encodable {
    var user: User
    var token: String
    var expiresIn: Int64

    enum CodingKeys: String, CodingKey {
      case user, token
      case expiresIn = "expires_in"
    }
  }

  /// `POST /v1/guests`, with the app's public key.
  func welcome(_ request: Request) async throws -> Response {
    guard settings.allowsGuests else {
      throw Problem.forbidden("This app has no guests: its setting allow_guests is off.")
    }
    let arrival = try request.decode(Arrival.self)
    guard let secret = try signingSecret(), !secret.isEmpty else {
      throw Problem.unavailable("The app has no signing secret.")
    }
    let now = try now()
    let until = Timestamp(unixMilliseconds: now.unixMilliseconds + settings.guestSeconds * 1_000)
    let id = try context.id.make("guest")
    let hour = now.unixMilliseconds / 3_600_000
    let networks = Network.all(of: request.peer)
    let commit: Commit
    do {
      commit = try await context.store.commit {
        // Whoever has left long ago goes first, so that there is room.
        Users.forgetting(before: now)
        SQL("DELETE FROM auth_guest_arrivals WHERE hour < \(hour)")
        for network in networks {
          SQL(
            """
            INSERT INTO auth_guest_arrivals (address, hour, count) VALUES (\(network.key), \(hour), 1)
            ON CONFLICT (address, hour) DO UPDATE SET count = auth_guest_arrivals.count + 1
              WHERE auth_guest_arrivals.count < \(settings.guestsPerAddress * network.share)
            """
          ).expect(exactly: 1)
        }
        SQL(
          """
          INSERT INTO auth_users (id, name, custom, created_at, updated_at, guest_until)
          SELECT \(id), \(arrival.name), '{}', \(now), \(now), \(until)
          WHERE (SELECT count(*) FROM (SELECT 1 FROM auth_users WHERE guest_until IS NOT NULL
            LIMIT \(settings.guestLimit))) < \(settings.guestLimit)
          RETURNING \(raw: User.columns)
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict(let statement?, _) where statement < 2 + networks.count {
      let next = Timestamp(unixMilliseconds: (hour + 1) * 3_600_000)
      return Throttled(until: next, from: now, "Too many guests come from this address.").response
    } catch StoreError.conflict {
      let room = try await leaving() ?? now
      return Throttled(until: room, from: now, "The app has as many guests as it takes.").response
    }
    let claims = UserClaims(
      issuer: context.tenant, subject: id, issuedAt: now.unixMilliseconds / 1_000,
      expiresAt: until.unixMilliseconds / 1_000,
      custom: ["guest": "true", "scopes": try RawJSON(encoding: settings.guestScopes)])
    let welcome = Welcome(
      user: try commit.statements[2 + networks.count][0].decode(User.self),
      token: try token(claims, under: secret), expiresIn: settings.guestSeconds)
    return try .tokens(welcome, status: 201)
  }

  /// When one of the guests goes who keep others out; nil when they have gone already.
  private func leaving() async throws -> Timestamp? {
    let rows = try await context.store.read(
      """
      SELECT guest_until FROM auth_users WHERE guest_until IS NOT NULL
      ORDER BY guest_until DESC LIMIT 1 OFFSET \(settings.guestLimit - 1)
      """)
    return try rows.first?["guest_until", Timestamp.self]
  }

  /// What a guest who stays is from then on.
  private struct Promotion: Decodable {
    var name: String?
    var image: String?
    var custom: RawJSON?
    var identity: UserIdentity?
  }

  private static let identityTaken = Problem.conflict(
    "Another user has this identity, or a user has the id that its tokens show.")

  /// `POST /v1/users/{id}/upgrade`: the guest stays, as a user like any other; let in, where an identity is given, by tokens of that too.
  func upgrade(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let form = try request.decode(Promotion.self)
    if let identity = form.identity { try check(identity) }
    let now = try now()
    // Who is known by it already would be somebody else from then on.
    let former = form.identity.map { (issuers[$0.issuer]?.userPrefix ?? "") + $0.subject }
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE auth_users SET guest_until = NULL, name = coalesce(\(form.name), name),
          image = nullif(coalesce(\(form.image), image), ''), custom = coalesce(\(form.custom), custom),
          identity_issuer = \(form.identity?.issuer), identity_subject = \(form.identity?.subject),
          updated_at = \(now)
        WHERE id = \(id) AND guest_until > \(now)
          AND NOT EXISTS (SELECT 1 FROM auth_users AS o WHERE o.id <> \(id) AND (o.id = \(former)
            OR o.identity_issuer = \(form.identity?.issuer)
              AND o.identity_subject = \(form.identity?.subject)))
        RETURNING \(raw: User.columns)
        """)
    }
    if let row = commit.statements[0].first {
      // Tokens of the issuer that were recognised before are another's now.
      if form.identity != nil { try await context.forgetIdentities() }
      return try .json(try row.decode(User.self))
    }
    let known = try await context.store.read(
      "SELECT guest_until FROM auth_users WHERE id = \(id)")
    guard let row = known.first else { throw Users.unknown }
    guard let until = try row["guest_until", Timestamp?.self] else {
      throw Problem.conflict("The user is no guest.")
    }
    guard until > now else { throw Users.unknown }
    throw Users.identityTaken
  }
}
