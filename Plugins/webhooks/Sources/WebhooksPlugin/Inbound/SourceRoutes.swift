internal import PluginKit

/// `/v1/hook-sources`: who may send events to the app. Its server alone asks for these.
extension WebhooksShard {
  /// How many there may be.
  private static let mostSources = 100

  private struct SourceInput: Decodable {
    let kind: Sender
    let secret: String
    let graceSeconds: Int64?

    private enum CodingKeys: String, CodingKey {
      case kind, secret
      case graceSeconds = "grace_seconds"
    }
  }

  /// `PUT /v1/hook-sources/{source}`
  func putSource(_ request: Request) async throws -> Response {
    let name = try Self.sourceName(request)
    let input: SourceInput = try request.decode()
    guard input.kind.key(of: input.secret) != nil else {
      throw Problem.invalid(
        pointer: "/secret", "The secret is whsec_ and 24 to 64 bytes in base64.")
    }
    let now = try context.clock.now()
    let until = now.adding(milliseconds: (input.graceSeconds ?? 0) * 1_000)
    let sealed = try await seal.close(Array(input.secret.utf8), id: Source.sealName(name))
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO webhooks_sources (name, kind, secret, created_at, updated_at)
          SELECT \(name), \(input.kind.rawValue), \(sealed), \(now), \(now)
          WHERE (SELECT count(*) FROM webhooks_sources WHERE name <> \(name)) < \(Self.mostSources)
          ON CONFLICT (name) DO UPDATE SET previous = CASE
              WHEN webhooks_sources.kind = excluded.kind AND \(until) > \(now)
              THEN webhooks_sources.secret END, previous_until = \(until),
            kind = excluded.kind, secret = excluded.secret, updated_at = excluded.updated_at
          """
        ).expect(exactly: 1)
      }
    } catch StoreError.conflict {
      throw Problem(
        status: 403, code: "quota_exceeded",
        detail: "An app has at most \(Self.mostSources) sources.")
    }
    return try .json(ShownSource(try await source(name), at: now))
  }

  /// `GET /v1/hook-sources`
  func listSources(_ request: Request) async throws -> Response {
    let limit = request.query("limit").flatMap { Int($0) } ?? 25
    let now = try context.clock.now()
    let found = try await context.store.read(
      """
      SELECT \(raw: Source.columns) FROM webhooks_sources WHERE name > \(request.query("after") ?? "")
      ORDER BY name LIMIT \(limit + 1)
      """
    ).map { ShownSource(try Source($0), at: now) }
    let shown = Array(found.prefix(limit))
    return try .json(Page(data: shown, next: found.count > limit ? shown.last?.name : nil))
  }

  /// `GET /v1/hook-sources/{source}`
  func readSource(_ request: Request) async throws -> Response {
    let found = try await source(try request.parameter(0))
    return try .json(ShownSource(found, at: try context.clock.now()))
  }

  /// `DELETE /v1/hook-sources/{source}`
  func deleteSource(_ request: Request) async throws -> Response {
    let name = try request.parameter(0)
    let commit = try await context.store.commit {
      "DELETE FROM webhooks_sources WHERE name = \(name)" as SQL
    }
    guard commit.statements[0].changed == 1 else { throw Self.unknownSource(name) }
    return .empty(204)
  }

  /// - Throws: `Problem` 404.
  func source(_ name: String) async throws -> Source {
    let row = try await context.store.read(
      "SELECT \(raw: Source.columns) FROM webhooks_sources WHERE name = \(name)"
    ).first
    guard let row else { throw Self.unknownSource(name) }
    return try Source(row)
  }

  private static func unknownSource(_ name: String) -> Problem {
    .notFound("There is no source \"\(name)\".")
  }

  private static func sourceName(_ request: Request) throws -> String {
    let name = try request.parameter(0)
    let isName = name.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x2D
    }
    guard isName, (1...64).contains(name.utf8.count) else {
      throw Problem.invalid("A source's name has 1 to 64 characters of a-z, 0-9, _ and -.")
    }
    return name
  }
}
