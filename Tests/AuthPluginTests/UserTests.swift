import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A user's token` {
  private struct Answer: Decodable { var token: String }

  private func token(_ app: AuthHost, _ body: String) async throws -> TestReply {
    try await app.request("POST", "/v1/tokens", body, as: .key())
  }

  @Test func `is a JWT that the app's secret verifies`() async throws {
    let app = try await AuthHost("app_1")
    let reply = try await token(app, #"{"user_id":"alice"}"#)
    #expect(reply.status == 201)
    let jws = try CompactJWS(try reply.json(Answer.self).token)
    #expect(jws.header.algorithm == "HS256" && jws.header.type == "JWT")
    #expect(
      String(decoding: jws.payload, as: UTF8.self)
        == #"{"iss":"app_1","sub":"alice","iat":1767225600,"exp":1767229200}"#)
    #expect(HS256.verifies(jws.signature, of: jws.signingInput, with: AuthHost.secret))
    let who = try await app.identify(try reply.json(Answer.self).token)
    #expect(who.kind == .user && who.id == "alice" && who.scopes == ["chat.read", "chat.write"])
    try await app.host.close()
  }

  @Test func `has the time and the claims that were asked for`() async throws {
    let app = try await AuthHost("app_1")
    let reply = try await token(
      app,
      #"{"user_id":"bob","expires_in":60,"claims":{"team":[1,2.50],"scopes":["chat.read"]}}"#)
    let who = try await app.identify(try reply.json(Answer.self).token)
    #expect(who.scopes == ["chat.read"])
    #expect(
      who.claims.text
        == #"{"iss":"app_1","sub":"bob","iat":1767225600,"exp":1767225660,"scopes":["chat.read"],"team":[1,2.50]}"#
    )
    try await app.host.close()
  }

  @Test(arguments: [
    (#"{"user_id":"a b"}"#, "/user_id"),
    (#"{"user_id":"a\u0007"}"#, "/user_id"),
    (#"{"user_id":"a","claims":{"sub":"b"}}"#, "/claims/sub"),
    (#"{"user_id":"a","claims":{"x":1,"exp":9}}"#, "/claims/exp"),
    (#"{"user_id":"a","claims":{"iss":"other"}}"#, "/claims/iss"),
    (#"{"user_id":"a","claims":{"scopes":"chat.read"}}"#, "/claims"),
    (#"{"user_id":"a","claims":{"x":"LONG"}}"#, "/claims"),
  ])
  func `is not made where it would be refused later`(body: String, pointer: String) async throws {
    let app = try await AuthHost("app_1")
    let reply = try await token(
      app, body.replacing("LONG", with: String(repeating: "x", count: 3_100)))
    #expect(reply.status == 400)
    #expect(reply.problem?.errors?.map(\.pointer) == [pointer])
    try await app.host.close()
  }

  @Test(arguments: [
    "{}", #"{"user_id":""}"#, #"{"user_id":"a","expires_in":0}"#,
    #"{"user_id":"a","expires_in":2592001}"#, #"{"user_id":"a","claims":[]}"#,
    #"{"user_id":"a","ttl":5}"#,
  ])
  func `is refused by the manifest where the request is malformed`(body: String) async throws {
    let app = try await AuthHost("app_1")
    #expect(try app.refuses("POST", "/v1/tokens", body))
    try await app.host.close()
  }

  @Test func `needs a signing secret and an app`() async throws {
    let bare = try await AuthHost("app_1", secret: nil)
    #expect(try await token(bare, #"{"user_id":"a"}"#).status == 503)
    try await bare.host.close()
    let platform = try await AuthHost("platform")
    let reply = try await platform.host.request(
      "POST", "/v1/tokens", body: #"{"user_id":"a"}"#, as: .key())
    #expect(reply.status == 404)
    try await platform.host.close()
  }
}

@Suite struct `A user` {
  private struct Seen: Decodable {
    var id: String
    var name: String?
    var image: String?
    var custom: RawJSON
    var createdAt: String
    var updatedAt: String

    enum CodingKeys: String, CodingKey {
      case id, name, image, custom
      case createdAt = "created_at"
      case updatedAt = "updated_at"
    }
  }

  private struct MadeToken: Decodable { var token: String }

  private struct SeenPage: Decodable {
    var data: [Seen]
    var next: String?
  }

  @Test func `is made, replaced, read and forgotten`() async throws {
    let app = try await AuthHost("app_1")
    let made: Seen = try await app.request(
      "PUT", "/v1/users/alice",
      #"{"name":"Alice","image":"https://cdn.example/a.png","custom":{"n":1.0}}"#, as: .key()
    ).json()
    #expect(made.id == "alice" && made.name == "Alice" && made.image == "https://cdn.example/a.png")
    #expect(made.custom.text == #"{"n":1.0}"#)
    try await app.host.advance(milliseconds: 1_000)
    let replaced: Seen = try await app.request(
      "PUT", "/v1/users/alice", #"{"name":"Al"}"#, as: .key()
    ).json()
    #expect(replaced.name == "Al" && replaced.image == nil && replaced.custom.text == "{}")
    #expect(replaced.createdAt == "2026-01-01T00:00:00.000Z")
    #expect(replaced.updatedAt == "2026-01-01T00:00:01.000Z")
    let read = try await app.request("GET", "/v1/users/alice", as: .key())
    #expect(try read.json(Seen.self).name == "Al")
    #expect(try await app.request("DELETE", "/v1/users/alice", as: .key()).status == 204)
    #expect(try await app.request("DELETE", "/v1/users/alice", as: .key()).status == 404)
    #expect(try await app.request("GET", "/v1/users/alice", as: .key()).status == 404)
    try await app.host.close()
  }

  @Test func `who is forgotten is let in no more by tokens of before`() async throws {
    let app = try await AuthHost("app")
    func token() async throws -> String {
      let reply = try await app.request(
        "POST", "/v1/tokens", #"{"user_id":"alice"}"#, as: .key())
      return try reply.json(MadeToken.self).token
    }
    let before = try await token()
    // Nobody who is not known is forgotten.
    #expect(try await app.request("DELETE", "/v1/users/alice", as: .key()).status == 404)
    #expect(try await app.refusal(of: before) == nil)
    _ = try await app.request("PUT", "/v1/users/alice", "{}", as: .key())
    #expect(try await app.request("DELETE", "/v1/users/alice", as: .key()).status == 204)
    #expect(try await app.refusal(of: before) == TokenRefusal.revoked.reason)
    let told = try await app.host.events.filter { $0.type == "auth.user.revoked" }
    #expect(told.count == 1 && told.allSatisfy { $0.data.text.contains("alice") })
    // Somebody else may have the name later.
    try await app.host.advance(milliseconds: 1_000)
    #expect(try await app.refusal(of: try await token()) == nil)
    try await app.host.close()
  }

  /// What other users' pages are shown.
  @Test(arguments: [
    (#"{"name":"a\u0000b"}"#, true), (#"{"name":"a\nb"}"#, true), (#"{"name":"Zoë 🦊"}"#, false),
    (#"{"image":"javascript:alert(1)"}"#, true), (#"{"image":"data:image/png;base64,AA=="}"#, true),
    (#"{"image":"/a.png"}"#, true), (#"{"image":"https://"}"#, true),
    (#"{"image":"https://a.example/ b"}"#, true),
    (#"{"image":"https://a.example/b?c=d#e"}"#, false),
    (#"{"image":"http://127.0.0.1:8080/a.png"}"#, false), (#"{"image":""}"#, false),
    (#"{"image":null}"#, false),
  ])
  func `has a name without control characters, and a picture on the web`(
    body: String, isRefused: Bool
  ) async throws {
    let app = try await AuthHost("app_1")
    #expect(try app.refuses("PUT", "/v1/users/alice", body) == isRefused)
    #expect(try app.refuses("POST", "/v1/users/alice/upgrade", body) == isRefused)
    try await app.host.close()
  }

  @Test func `has an id without spaces`() async throws {
    let app = try await AuthHost("app_1")
    let reply = try await app.host.request(
      "PUT", "/v1/users/x", parameters: ["a b"], body: "{}", as: .key())
    #expect(reply.status == 400)
    #expect(UserID.refusal(of: "auth0|12:é@x") == nil)
    #expect(UserID.refusal(of: String(repeating: "a", count: 129)) != nil)
    try await app.host.close()
  }

  @Test func `is listed with the others in pages`() async throws {
    let app = try await AuthHost("app_1")
    for id in ["c", "a", "b"] {
      _ = try await app.request("PUT", "/v1/users/\(id)", "{}", as: .key())
    }
    let first: SeenPage = try await app.request("GET", "/v1/users?limit=2", as: .key()).json()
    #expect(first.data.map(\.id) == ["a", "b"])
    let after = try #require(first.next)
    let second = try await app.request("GET", "/v1/users?limit=2&after=\(after)", as: .key())
    #expect(try second.json(SeenPage.self).data.map(\.id) == ["c"])
    #expect(second.text.hasSuffix(#""next":null}"#))
    try await app.host.close()
  }

  @Test func `shows others a name and a picture, and no more`() async throws {
    let app = try await AuthHost("app_1")
    _ = try await app.request(
      "PUT", "/v1/users/alice",
      #"{"name":"Alice","image":"https://a.example/a.png","custom":{"secret":1}}"#, as: .key())
    _ = try await app.request("PUT", "/v1/users/bob", "{}", as: .key())
    let shown = try await app.request(
      "POST", "/v1/profiles", #"{"ids":["nobody","bob","alice"]}"#, as: .user("carol"))
    #expect(
      shown.text
        == #"{"data":[{"id":"bob"},{"id":"alice","name":"Alice","image":"https://a.example/a.png"}],"next":null}"#
    )
    try await app.host.close()
  }

  // The letter é, and an e with an accent behind it: the same text to Swift, and two users.
  @Test func `are told apart by their bytes`() async throws {
    let app = try await AuthHost("app_1")
    for (id, name) in [("\u{e9}", "One"), ("e\u{301}", "Two")] {
      let made = try await app.request(
        "PUT", "/v1/users/\(id)", #"{"name":"\#(name)"}"#, as: .key())
      #expect(made.status == 200)
    }
    for (ids, names) in [(#""\u00e9","e\u0301""#, ["One", "Two"]), (#""e\u0301""#, ["Two"])] {
      let shown = try await app.request(
        "POST", "/v1/profiles", #"{"ids":[\#(ids)]}"#, as: .user("carol"))
      let data = try JSON.decode(Shown.self, from: Array(shown.text.utf8)).data
      #expect(data.map(\.name) == names)
    }
    try await app.host.close()
  }

  private struct Shown: Decodable {
    struct Profile: Decodable { let name: String }
    let data: [Profile]
  }
}

@Suite struct `The tokens of a user` {
  private static func token(iat: Int64?) -> String {
    let issued = iat.map { #","iat":\#($0)"# } ?? ""
    return Forged.hs256(#"{"iss":"app","sub":"alice","exp":1767229200\#(issued)}"#)
  }

  @Test func `are void from their revocation on, those that were issued before`() async throws {
    let app = try await AuthHost("app")
    // 2026-01-01T00:00:00.500Z
    try await app.host.advance(milliseconds: 500)
    let (old, now, next) = (
      Self.token(iat: 1_767_225_599), Self.token(iat: 1_767_225_600), Self.token(iat: 1_767_225_601)
    )
    let silent = Self.token(iat: nil)
    for token in [old, now, next, silent] { #expect(try await app.refusal(of: token) == nil) }
    let reply = try await app.request("POST", "/v1/users/alice/revoke", as: .key())
    #expect(reply.text == #"{"user_id":"alice","issued_before":"2026-01-01T00:00:00.500Z"}"#)
    #expect(try await app.host.identitiesForgotten == 1)
    for token in [old, now, silent] {
      #expect(try await app.refusal(of: token) == TokenRefusal.revoked.reason)
    }
    #expect(try await app.refusal(of: next) == nil)
    #expect(
      try await app.refusal(of: Forged.hs256(#"{"iss":"app","sub":"bob","exp":1767229200}"#))
        == nil)
    try await app.host.close()
  }

  @Test func `are made so that they are good right after a revocation`() async throws {
    struct Answer: Decodable { var token: String }
    let app = try await AuthHost("app")
    _ = try await app.request("POST", "/v1/users/alice/revoke", as: .key())
    let reply = try await app.request("POST", "/v1/tokens", #"{"user_id":"alice"}"#, as: .key())
    #expect(try await app.refusal(of: try reply.json(Answer.self).token) == nil)
    try await app.host.close()
  }

  @Test func `are told of where connections are kept, once they are forgotten`() async throws {
    let app = try await AuthHost("app")
    _ = try await app.request("POST", "/v1/users/alice/revoke", as: .key())
    let told = try await app.host.published
    #expect(told.map(\.channel) == ["@users"] && told.map(\.type) == ["auth.user.revoked"])
    #expect(
      told.first?.data.text
        == #"{"user_id":"alice","issued_before":"2026-01-01T00:00:00.000Z"}"#)
    #expect(try await app.host.events.map(\.type) == ["auth.user.revoked"])
    try await app.host.close()
  }

  @Test func `stay void where a later clock says less`() async throws {
    let app = try await AuthHost("app")
    for _ in 0..<2 { _ = try await app.request("POST", "/v1/users/alice/revoke", as: .key()) }
    #expect(
      try await app.refusal(of: Self.token(iat: 1_767_225_600)) == TokenRefusal.revoked.reason)
    try await app.host.close()
  }

  private static let start: Int64 = 1_767_225_600

  private func revoke(_ app: AuthHost) async throws {
    #expect(try await app.request("POST", "/v1/users/alice/revoke", as: .key()).status == 200)
  }

  @Test func `of a clock that is ahead are void that were shown before their revocation`()
    async throws
  {
    let app = try await AuthHost("app")
    let ahead = Self.token(iat: Self.start + 40)
    #expect(try await app.refusal(of: ahead) == nil)
    #expect(app.host.log.contains { $0.message.contains("clock of an issuer of tokens is ahead") })
    try await revoke(app)
    for _ in 0..<7 {
      #expect(try await app.refusal(of: ahead) == TokenRefusal.revoked.reason)
      try await app.host.advance(milliseconds: 10_000)
    }
    // What says that it was issued a minute later was.
    #expect(try await app.refusal(of: Self.token(iat: Self.start + 60)) != nil)
    #expect(try await app.refusal(of: Self.token(iat: Self.start + 61)) == nil)
    try await app.host.close()
  }

  @Test func `of a clock that is ahead are void that are first shown after their revocation`()
    async throws
  {
    let app = try await AuthHost("app")
    try await revoke(app)
    try await app.host.advance(milliseconds: 5_000)
    let ahead = Self.token(iat: Self.start + 40)
    #expect(try await app.refusal(of: ahead) == TokenRefusal.revoked.reason)
    // And stay so when the time that they name has come.
    try await app.host.advance(milliseconds: 60_000)
    #expect(try await app.refusal(of: ahead) == TokenRefusal.revoked.reason)
    try await app.host.close()
  }

  @Test func `of a clock that is right are good from the second after their revocation on`()
    async throws
  {
    let app = try await AuthHost("app")
    #expect(try await app.refusal(of: Self.token(iat: Self.start + 1)) == nil)
    try await revoke(app)
    try await app.host.advance(milliseconds: 2_000)
    #expect(try await app.refusal(of: Self.token(iat: Self.start + 1)) == nil)
    #expect(try await app.refusal(of: Self.token(iat: Self.start)) != nil)
    try await app.host.close()
  }

  @Test func `are made so that they are good where the clock of the app's server is ahead`()
    async throws
  {
    struct Answer: Decodable { var token: String }
    let app = try await AuthHost("app")
    try await app.host.advance(milliseconds: 400)
    #expect(try await app.refusal(of: Self.token(iat: Self.start + 40)) == nil)
    try await revoke(app)
    let asked = try await app.host.begin(
      "POST", "/v1/tokens", body: #"{"user_id":"alice"}"#, as: .key())
    try await app.host.settle()
    try await app.host.advance(milliseconds: 600)
    let token = try await asked.reply().json(Answer.self).token
    #expect(try await app.refusal(of: token) == nil)
    try await app.host.close()
  }

  @Test func `of a clock that was set right a week ago are trusted again`() async throws {
    let app = try await AuthHost("app")
    #expect(try await app.refusal(of: Self.token(iat: Self.start + 40)) == nil)
    let week: Int64 = 7 * 86_400
    try await app.host.advance(milliseconds: Int(week) * 1_000)
    try await revoke(app)
    try await app.host.advance(milliseconds: 2_000)
    let token = Forged.hs256(
      #"{"iss":"app","sub":"alice","iat":\#(Self.start + week + 1),"exp":\#(Self.start + week + 600)}"#
    )
    #expect(try await app.refusal(of: token) == nil)
    try await app.host.close()
  }
}
