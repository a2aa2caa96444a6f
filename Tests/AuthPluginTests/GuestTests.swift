import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A guest` {
  private struct Seen: Decodable {
    var id: String
    var name: String?
    var guestUntil: String?

    enum CodingKeys: String, CodingKey {
      case id, name
      case guestUntil = "guest_until"
    }
  }

  private struct Welcome: Decodable {
    var user: Seen
    var token: String
    var expiresIn: Int

    enum CodingKeys: String, CodingKey {
      case user, token
      case expiresIn = "expires_in"
    }
  }

  private struct SeenPage: Decodable { var data: [Seen] }

  private static func settings(_ change: (String, String)) -> RawJSON {
    RawJSON(unchecked: Array(AuthHost.settings.text.replacing(change.0, with: change.1).utf8))
  }

  private func arrive(_ app: AuthHost, from peer: String = "127.0.0.1") async throws -> TestReply {
    try await app.request(
      "POST", "/v1/guests", #"{"name":"Nobody"}"#, as: Principal(kind: .anonymous, id: "key_1"),
      from: peer)
  }

  @Test func `has an id, a token and the scopes of guests`() async throws {
    let app = try await AuthHost("app")
    let made: Welcome = try await arrive(app).json()
    #expect(made.user.id.hasPrefix("guest_") && made.user.name == "Nobody")
    #expect(made.user.guestUntil == "2026-01-01T01:00:00.000Z" && made.expiresIn == 3_600)
    let who = try await app.identify(made.token)
    #expect(who.kind == .user && who.id == made.user.id && who.scopes == ["chat.read"])
    #expect(who.claims.text.contains(#""guest":true"#))
    try await app.host.close()
  }

  @Test func `is gone when the time is over, and makes room`() async throws {
    let app = try await AuthHost(
      "app", settings: Self.settings((#""guest_limit":5"#, #""guest_limit":1"#)))
    let made: Welcome = try await arrive(app).json()
    try await app.host.advance(milliseconds: 1_500)
    let refused = try await arrive(app)
    #expect(refused.status == 429 && refused.header("retry-after") == "3599")
    #expect(refused.problem?.detail.hasSuffix("Try again in 3599 s.") == true)
    try await app.host.advance(milliseconds: 3_598_499)
    #expect(try await arrive(app).header("retry-after") == "1")
    try await app.host.advance(milliseconds: 1)
    #expect(try await app.request("GET", "/v1/users/\(made.user.id)", as: .key()).status == 404)
    let page: SeenPage = try await app.request("GET", "/v1/users", as: .key()).json()
    #expect(page.data.isEmpty)
    #expect(try await arrive(app).status == 201)
    try await app.host.close()
  }

  @Test func `is forgotten when the time is over, although nobody else comes`() async throws {
    let app = try await AuthHost(
      "app", settings: Self.settings((#""guest_seconds":3600"#, #""guest_seconds":60"#)))
    let made: Welcome = try await arrive(app).json()
    let path = "/v1/users/\(made.user.id)"
    try await app.host.advance(milliseconds: 60_000)
    #expect(try await app.request("PUT", path, "{}", as: .key()).status == 410)
    try await app.host.advance(milliseconds: Users.purgePause)
    try await app.host.settle()
    // The name is nobody's any more.
    #expect(try await app.request("PUT", path, "{}", as: .key()).status == 200)
    try await app.host.close()
  }

  @Test func `comes so often from one address in an hour`() async throws {
    let app = try await AuthHost("app")
    #expect(try await arrive(app).status == 201)
    #expect(try await arrive(app).status == 201)
    let refused = try await arrive(app)
    #expect(refused.status == 429 && refused.problem?.code == "rate_limited")
    #expect(refused.header("retry-after") == "3600")
    // What is refused leaves nothing behind.
    let page: SeenPage = try await app.request("GET", "/v1/users", as: .key()).json()
    #expect(page.data.count == 2)
    // It is counted by the hours of the clock.
    try await app.host.advance(milliseconds: 1_800_001)
    let later = try await arrive(app)
    #expect(later.status == 429 && later.header("retry-after") == "1800")
    #expect(later.problem?.detail.hasSuffix("Try again in 1800 s.") == true)
    try await app.host.advance(milliseconds: 1_799_999)
    #expect(try await arrive(app).status == 201)
    try await app.host.close()
  }

  @Test func `comes so often from one site of IPv6, however many networks it has`() async throws {
    let app = try await AuthHost(
      "app",
      settings: Self.settings(
        (#""guests_per_address":2,"guest_limit":5"#, #""guests_per_address":1,"guest_limit":50"#)))
    for network in 0..<4 {
      #expect(try await arrive(app, from: "2001:db8:1:\(network)::1").status == 201)
    }
    let refused = try await arrive(app, from: "2001:db8:1:4::1")
    #expect(refused.status == 429 && refused.problem?.detail.contains("address") == true)
    #expect(try await arrive(app, from: "2001:db8:2:4::1").status == 201)
    #expect(try await arrive(app, from: "203.0.113.7").status == 201)
    try await app.host.close()
  }

  @Test func `whose time is over is not changed quietly`() async throws {
    let app = try await AuthHost("app")
    let made: Welcome = try await arrive(app).json()
    let path = "/v1/users/\(made.user.id)"
    let changed: Seen = try await app.request("PUT", path, #"{"name":"Ada"}"#, as: .key()).json()
    #expect(changed.name == "Ada" && changed.guestUntil == made.user.guestUntil)
    try await app.host.advance(milliseconds: 3_600_000)
    let late = try await app.request("PUT", path, #"{"name":"Eve"}"#, as: .key())
    #expect(late.status == 410 && late.problem?.code == "gone")
    try await app.host.close()
  }

  @Test func `is let in only where the app says so`() async throws {
    let app = try await AuthHost(
      "app", settings: Self.settings((#""allow_guests":true"#, #""allow_guests":false"#)))
    #expect(try await arrive(app).status == 403)
    try await app.host.close()
    let bare = try await AuthHost("app", secret: nil)
    #expect(try await arrive(bare).status == 503)
    try await bare.host.close()
  }

  @Test func `becomes a user who stays`() async throws {
    let app = try await AuthHost("app")
    let made: Welcome = try await arrive(app).json()
    let path = "/v1/users/\(made.user.id)/upgrade"
    let stays: Seen = try await app.request("POST", path, #"{"name":"Ada"}"#, as: .key()).json()
    #expect(stays.id == made.user.id && stays.name == "Ada" && stays.guestUntil == nil)
    #expect(try await app.request("POST", path, "{}", as: .key()).status == 409)
    #expect(
      try await app.request("POST", "/v1/users/nobody/upgrade", "{}", as: .key()).status == 404)
    try await app.host.advance(milliseconds: 7_200_000)
    #expect(try await app.request("GET", "/v1/users/\(made.user.id)", as: .key()).status == 200)
    try await app.host.close()
  }
}
