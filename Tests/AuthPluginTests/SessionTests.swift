import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A session` {
  @Test func `is opened with e-mail and password`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let reply = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ADA@example.com","password":"correct horse"}"#)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    let again: SignedIn = try reply.json()
    #expect(again.account == ada.account)
    #expect(again.refreshToken != ada.refreshToken)
    try await platform.host.close()
  }

  @Test func `is refused in the same words for a wrong password and an unknown e-mail`()
    async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    let wrong = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"incorrect horse"}"#)
    let unknown = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"eve@example.com","password":"correct horse"}"#)
    let nonsense = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"no address","password":"correct horse"}"#)
    #expect(wrong.status == 401)
    #expect(wrong.problem?.code == "unauthenticated")
    #expect(unknown.problem == wrong.problem)
    #expect(nonsense.problem == wrong.problem)
    try await platform.host.close()
  }

  @Test func `is refreshed with a token that changes`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    var token = ada.refreshToken
    var seen: Set<String> = [token]
    for _ in 0..<3 {
      try await platform.host.advance(milliseconds: 600_000)
      let reply = try await platform.refresh(token)
      #expect(reply.status == 200)
      #expect(reply.header("cache-control") == "no-store")
      let pair: SignedIn = try reply.json()
      #expect(seen.insert(pair.refreshToken).inserted)
      #expect(try await platform.identify(pair.accessToken).id == ada.account?.id)
      token = pair.refreshToken
    }
    try await platform.host.close()
  }

  @Test func `gives the same successor when a token comes again within thirty seconds`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let first: SignedIn = try await platform.refresh(ada.refreshToken).json()
    try await platform.host.advance(milliseconds: 30_000)
    let second = try await platform.refresh(ada.refreshToken)
    #expect(second.status == 200)
    #expect(try second.json(SignedIn.self).refreshToken == first.refreshToken)
    #expect(try await platform.refresh(first.refreshToken).status == 200)
    try await platform.host.close()
  }

  @Test func `gives one successor when a token comes twice at once`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let body = #"{"refresh_token":"\#(ada.refreshToken)"}"#
    let first = try await platform.host.begin("POST", "/v1/sessions/refresh", body: body)
    let second = try await platform.host.begin("POST", "/v1/sessions/refresh", body: body)
    let replies = [try await first.reply(), try await second.reply()]
    #expect(replies.map(\.status) == [200, 200])
    let tokens = try replies.map { try $0.json(SignedIn.self).refreshToken }
    #expect(tokens[0] == tokens[1])
    try await platform.host.close()
  }

  @Test func `ends with all its tokens when one is used again later`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let other: SignedIn = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
    let next: SignedIn = try await platform.refresh(ada.refreshToken).json()
    try await platform.host.advance(milliseconds: 30_001)
    let reused = try await platform.refresh(ada.refreshToken)
    #expect(reused.status == 401)
    #expect(platform.host.log.contains { $0.message.contains("used again") })
    let successor = try await platform.refresh(next.refreshToken)
    #expect(successor.status == 401)
    #expect(successor.problem == reused.problem)
    #expect(try await platform.refresh(other.refreshToken).status == 200)
    try await platform.host.close()
  }

  @Test func `goes on sixty times at once, then once in ten seconds`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    var token = ada.refreshToken
    for _ in 0..<60 {
      let reply = try await platform.refresh(token)
      #expect(reply.status == 200)
      // The same again is no other.
      #expect(try await platform.refresh(token).status == 200)
      token = try reply.json(SignedIn.self).refreshToken
    }
    let refused = try await platform.refresh(token)
    #expect(refused.status == 429 && refused.problem?.code == "rate_limited")
    // Of all of them the session's row alone is kept.
    #expect(try await platform.host.execute("SELECT COUNT(*) FROM auth_refresh_tokens") == [["0"]])
    #expect(try await platform.host.execute("SELECT COUNT(*) FROM auth_sessions") == [["1"]])
    // What was refused has used nothing up, and other sessions go on.
    let other: SignedIn = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
    #expect(try await platform.refresh(other.refreshToken).status == 200)
    try await platform.host.advance(milliseconds: 9_999)
    #expect(try await platform.refresh(token).status == 429)
    try await platform.host.advance(milliseconds: 1)
    #expect(try await platform.refresh(token).status == 200)
    try await platform.host.close()
  }

  @Test
  func `gives each token of half a minute its own successor again, and ends with an older one`()
    async throws
  {
    let platform = try await AuthHost("platform")
    var tokens = [try await platform.signUp().refreshToken]
    for _ in 0..<4 {
      try await platform.host.advance(milliseconds: 10_000)
      tokens.append(
        try await platform.refresh(tokens[tokens.count - 1]).json(SignedIn.self).refreshToken)
    }
    // The first was used thirty seconds ago.
    for place in [0, 2, 1, 3] {
      let again: SignedIn = try await platform.refresh(tokens[place]).json()
      #expect(again.refreshToken == tokens[place + 1])
    }
    try await platform.host.advance(milliseconds: 10_001)
    let again: SignedIn = try await platform.refresh(tokens[2]).json()
    #expect(again.refreshToken == tokens[3])
    #expect(try await platform.refresh(tokens[1]).status == 401)
    #expect(try await platform.refresh(tokens[4]).status == 401)
    try await platform.host.close()
  }

  @Test func `keeps no more of its tokens than may come again`() async throws {
    let platform = try await AuthHost("platform")
    var token = try await platform.signUp().refreshToken
    for _ in 0..<10 {
      try await platform.host.advance(milliseconds: 20_000)
      token = try await platform.refresh(token).json(SignedIn.self).refreshToken
    }
    let kept = try await platform.host.execute(
      "SELECT refresh_number, refresh_uses FROM auth_sessions")
    #expect(kept.count == 1 && kept[0][0] == "10" && kept[0][1].split(separator: ",").count == 2)
    try await platform.host.close()
  }

  /// Tokens that were given before sessions had numbers: each was a row of its own.
  @Test func `goes on with a token of before, which leads to those of today`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let sessions = try await platform.host.execute("SELECT id FROM auth_sessions")
    let session = try #require(sessions.first?.first)
    let former = FormerRefreshToken(text: "rt_" + String(repeating: "a", count: 43))
    _ = try await platform.host.execute(
      "UPDATE auth_sessions SET refresh_number = NULL, refresh_nonce = NULL, refresh_uses = NULL")
    _ = try await platform.host.execute(
      """
      INSERT INTO auth_refresh_tokens (digest, session_id, expires_at)
      SELECT '\(former.digest)', id, expires_at FROM auth_sessions
      """)
    let first: SignedIn = try await platform.refresh(former.text).json()
    #expect(RefreshToken(shown: first.refreshToken)?.session == session)
    let again: SignedIn = try await platform.refresh(former.text).json()
    #expect(again.refreshToken == first.refreshToken)
    let next: SignedIn = try await platform.refresh(first.refreshToken).json()
    #expect(try await platform.identify(next.accessToken).id == ada.account?.id)
    // Using it again later ends the session, as with any.
    try await platform.host.advance(milliseconds: 30_001)
    #expect(try await platform.refresh(former.text).status == 401)
    #expect(try await platform.refresh(next.refreshToken).status == 401)
    try await platform.host.close()
  }

  @Test func `knows no token that was changed`() async throws {
    let platform = try await AuthHost("platform")
    let token = try await platform.signUp().refreshToken
    let parts = token.split(separator: ".").map(String.init)
    try #require(parts.count == 3)
    let other = try await platform.signUp("eve@example.com").refreshToken
    let forged = [
      "\(parts[0]).1.\(parts[2])", "\(parts[0]).-1.\(parts[2])", "\(parts[0]).0.",
      "\(parts[0]).0.A",
      "\(parts[0]).0.\(parts[2]).", "rt_x.0.\(parts[2])", "rt_.0.\(parts[2])",
      "\(other.prefix(while: { $0 != "." })).0.\(parts[2])",
    ]
    for text in forged { #expect(try await platform.refresh(text).status == 401, "\(text)") }
    #expect(try await platform.refresh(token).status == 200)
    try await platform.host.close()
  }

  @Test func `expires when it is not refreshed for thirty days`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    try await platform.host.advance(milliseconds: 30 * 86_400_000 - 1)
    let next: SignedIn = try await platform.refresh(ada.refreshToken).json()
    try await platform.host.advance(milliseconds: 30 * 86_400_000)
    #expect(try await platform.refresh(next.refreshToken).status == 401)
    // The next sign-in sweeps it away.
    _ = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#)
    #expect(try await platform.refresh(next.refreshToken).status == 401)
    try await platform.host.close()
  }

  @Test(arguments: ["rt_unknown", "x", "rt_", "🔑"])
  func `knows no token that it has not given`(token: String) async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    #expect(try await platform.refresh(token).status == 401)
    try await platform.host.close()
  }

  @Test func `cannot be refreshed once it was ended`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let other: SignedIn = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
    let next: SignedIn = try await platform.refresh(ada.refreshToken).json()
    let principal = try await platform.identify(next.accessToken).principal
    for _ in 0..<2 {
      let reply = try await platform.request("DELETE", "/v1/sessions/current", as: principal)
      #expect(reply.status == 204)
    }
    #expect(try await platform.refresh(next.refreshToken).status == 401)
    #expect(try await platform.refresh(ada.refreshToken).status == 401)
    #expect(try await platform.refresh(other.refreshToken).status == 200)
    try await platform.host.close()
  }

  @Test func `has a signing key that is published`() async throws {
    struct KeySet: Decodable { var keys: [[String: String]] }
    let platform = try await AuthHost("platform")
    let reply = try await platform.request("GET", "/.well-known/jwks.json")
    #expect(reply.status == 200)
    #expect(reply.contentType == "application/jwk-set+json")
    let key = try #require(try reply.json(KeySet.self).keys.first)
    let ada = try await platform.signUp()
    #expect(try CompactJWS(ada.accessToken).header.keyID == key["kid"])
    #expect(key["kty"] == "EC" && key["crv"] == "P-256" && key["alg"] == "ES256")
    #expect(key["d"] == nil)
    #expect(Base64.url.decode((key["x"] ?? "").utf8)?.count == 32)
    try await platform.host.close()
  }

  @Test func `has one signing key when two loops make it at once`() async throws {
    let platform = try await AuthHost("platform")
    let first = try await platform.host.begin("GET", "/.well-known/jwks.json")
    let second = try await platform.host.begin("GET", "/.well-known/jwks.json")
    #expect(try await first.reply().text == second.reply().text)
    try await platform.host.close()
  }

  @Test func `says in the log that the signing key is broken`() async throws {
    let platform = try await AuthHost("platform")
    try await platform.host.setSecret("auth.signing", [1, 2, 3])
    #expect(try await platform.host.request("GET", "/.well-known/jwks.json").status == 500)
    #expect(platform.host.log.contains { $0.level == .error })
    try await platform.host.close()
  }
}
