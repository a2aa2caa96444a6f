import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `The list of sessions` {
  private struct Listed: Decodable {
    var id: String
    var device: String?
    var address: String?
    var lastUsedAt: String
    var current: Bool

    enum CodingKeys: String, CodingKey {
      case id, device, address, current
      case lastUsedAt = "last_used_at"
    }
  }

  private struct Sessions: Decodable {
    var data: [Listed]
    var next: String?
  }

  private func list(_ platform: AuthHost, _ principal: Principal, _ query: String = "") async throws
    -> Sessions
  {
    try await platform.request("GET", "/v1/sessions" + query, as: principal).json()
  }

  @Test func `shows its owner who is signed in where`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    _ = try await platform.signUp("eve@example.com")
    let principal = try await platform.principal(ada)
    try await platform.host.advance(milliseconds: 1_000)
    let reply = try await platform.host.request(
      "POST", "/v1/sessions", headers: [("user-agent", "Browser/1.0")],
      body: #"{"email":"ada@example.com","password":"correct horse"}"#)
    #expect(reply.status == 201)
    try await platform.host.advance(milliseconds: 1_000)
    #expect(try await platform.refresh(ada.refreshToken).status == 200)
    let sessions = try await list(platform, principal).data
    #expect(sessions.map(\.device) == ["Browser/1.0", nil])
    #expect(sessions.map(\.current) == [false, true])
    #expect(
      sessions.map(\.lastUsedAt) == ["2026-01-01T00:00:01.000Z", "2026-01-01T00:00:02.000Z"])
    #expect(sessions.allSatisfy { $0.address?.isEmpty == false })
    try await platform.host.close()
  }

  @Test func `comes in pages`() async throws {
    let platform = try await AuthHost("platform")
    let principal = try await platform.principal(try await platform.signUp())
    for _ in 0..<2 {
      try await platform.host.advance(milliseconds: 10)
      #expect(try await platform.signIn().status == 201)
    }
    let all = try await list(platform, principal).data.map(\.id)
    #expect(all.count == 3)
    let first = try await list(platform, principal, "?limit=2")
    #expect(first.data.map(\.id) == Array(all.prefix(2)))
    let second = try await list(platform, principal, "?limit=2&after=\(try #require(first.next))")
    #expect(second.data.map(\.id) == Array(all.suffix(1)))
    #expect(second.next == nil)
    try await platform.host.close()
  }

  @Test func `is ended one by one, and of one account`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let eve = try await platform.principal(try await platform.signUp("eve@example.com"))
    let principal = try await platform.principal(ada)
    try await platform.host.advance(milliseconds: 10)
    let other: SignedIn = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
    let id = try await list(platform, principal).data[0].id
    #expect(try await platform.status("DELETE", "/v1/sessions/\(id)", as: eve).status == 404)
    #expect(try await platform.status("DELETE", "/v1/sessions/\(id)", as: principal).status == 204)
    #expect(try await platform.status("DELETE", "/v1/sessions/\(id)", as: principal).status == 404)
    #expect(try await platform.refresh(other.refreshToken).status == 401)
    #expect(try await platform.refresh(ada.refreshToken).status == 200)
    #expect(try await list(platform, principal).data.count == 1)
    try await platform.host.close()
  }

  @Test func `is ended but for the one that asks`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let principal = try await platform.principal(ada)
    let other: SignedIn = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
    let eve = try await platform.signUp("eve@example.com")
    #expect(try await platform.status("DELETE", "/v1/sessions", as: principal).status == 204)
    #expect(try await platform.refresh(other.refreshToken).status == 401)
    #expect(try await platform.refresh(ada.refreshToken).status == 200)
    #expect(try await platform.refresh(eve.refreshToken).status == 200)
    try await platform.host.close()
  }
}

@Suite struct `The ring of signing keys` {
  private static let day = 86_400_000
  private static let notice = Int(KeyRing.notice)

  private struct Keys: Decodable {
    struct Key: Decodable {
      var kid: String
    }
    var keys: [Key]
  }

  private func kids(_ platform: AuthHost) async throws -> [String] {
    try await platform.request("GET", "/.well-known/jwks.json").json(Keys.self).keys.map(\.kid)
  }

  private func kid(_ token: String) throws -> String? { try CompactJWS(token).header.keyID }

  private func signedIn(_ platform: AuthHost) async throws -> SignedIn {
    try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
  }

  @Test func `shows the next key before it signs, and the last one until its tokens have expired`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let first = try await kids(platform)
    #expect(first.count == 1)
    try await platform.host.advance(milliseconds: 90 * Self.day - Self.notice - 1)
    #expect(try await kids(platform) == first)
    try await platform.host.advance(milliseconds: 1)
    _ = try await kids(platform)
    try await platform.host.settle()
    let both = try await kids(platform)
    #expect(both.count == 2 && both[0] == first[0])
    let before = try await signedIn(platform)
    #expect(try kid(before.accessToken) == both[0])
    try await platform.host.advance(milliseconds: Self.notice)
    let after = try await signedIn(platform)
    #expect(try kid(after.accessToken) == both[1])
    // Tokens of both are good.
    #expect(try await platform.refusal(of: before.accessToken) == nil)
    #expect(try await platform.refusal(of: after.accessToken) == nil)
    #expect(try await kids(platform) == both)
    try await platform.host.advance(milliseconds: 960_000)
    #expect(try await kids(platform) == [both[1]])
    #expect(ada.account != nil)
    try await platform.host.close()
  }

  @Test func `is turned by an operator`() async throws {
    let platform = try await AuthHost("platform")
    let root = try await platform.signUp("root@example.com")
    try await platform.host.settle()
    let principal = try await platform.principal(root)
    let target = "/v1/signing-keys/rotate"
    #expect(try await platform.status("POST", target, as: principal) == (403, "forbidden"))
    let code = try platform.mails.code(for: "root@example.com", in: "verification")
    _ = try await platform.status(
      "POST", "/v1/accounts/verify", #"{"email":"root@example.com","code":"\#(code)"}"#,
      as: principal)
    #expect(try await platform.status("POST", target, as: principal) == (202, nil))
    // Asked again, it is the same key that comes.
    #expect(try await platform.status("POST", target, as: principal) == (202, nil))
    let known = try await kids(platform)
    #expect(known.count == 2)
    // Each time it is noted before and after, with the keys' ids; a refusal is not.
    let notes = try await platform.host.events.filter { $0.type == "auth.audit.noted" }.map {
      try $0.data.decode(Noted.self)
    }
    #expect(notes.map(\.outcome) == ["begun", "done", "begun", "done"])
    #expect(notes.allSatisfy { $0.action == "signing_keys.rotated" && $0.actor == principal.id })
    try #require(notes.count == 4)
    #expect(notes[1].before?.signing == known[0] && notes[1].before?.next == nil)
    #expect(notes[1].after?.signing == known[0] && notes[1].after?.next == known[1])
    #expect(notes[3].before?.next == known[1] && notes[3].after?.next == known[1])
    try await platform.host.close()
  }

  private struct Noted: Decodable {
    struct Keys: Decodable {
      var signing: String
      var next: String?
    }

    var action: String
    var actor: String
    var outcome: String
    var before: Keys?
    var after: Keys?
  }

  @Test func `begins with a key that was stored alone`() throws {
    let pair = try SigningKey.generate()
    let ring = try KeyRing(try pair.serialized())
    #expect(try ring.signingKey(0).id == pair.id)
    #expect(ring.signing(at: Timestamp(unixMilliseconds: 0)) == 0)
    #expect(throws: JSONError.self) { try KeyRing([1, 2, 3]) }
  }
}
