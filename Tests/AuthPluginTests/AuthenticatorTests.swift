import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `The authenticator of an app` {
  // 2026-01-01T00:00:00Z, where the test host's clock begins, and an hour later.
  private static let good = #"{"iss":"app","sub":"alice","iat":1767225600,"exp":1767229200}"#

  @Test func `knows a user by a token under the app's secret`() async throws {
    let app = try await AuthHost("app")
    let claims =
      #"{"iss":"app","sub":"alice","exp":1767229200,"scopes":["chat.read"],"team":{"id":7}}"#
    let reply = try await app.identify(Forged.hs256(claims))
    #expect(reply.kind == .user)
    #expect(reply.id == "alice")
    #expect(reply.scopes == ["chat.read"])
    #expect(reply.claims.text == claims)
    #expect(reply.expiresAt == 1_767_229_260_000)
    try await app.host.close()
  }

  @Test func `lets a token for one channel listen, and nothing else`() async throws {
    let app = try await AuthHost("app")
    let claims = #"{"iss":"app","sub":"alice","exp":1767229200,"channel":"$room"}"#
    let token = Forged.hs256(claims)
    let reply = try await app.identify(token, for: "subscription")
    #expect(reply.id == "alice")
    #expect(reply.claims.text == claims)
    #expect(try await app.refusal(of: token) == TokenRefusal.badClaim("channel").reason)
    let bearer = Forged.hs256(Self.good)
    await #expect(throws: HostError(.denied, TokenRefusal.badClaim("channel").reason)) {
      try await app.identify(bearer, for: "subscription")
    }
    try await app.host.close()
    let platform = try await AuthHost("platform")
    await #expect(throws: HostError(.denied, TokenRefusal.badClaim("channel").reason)) {
      try await platform.identify(token, for: "subscription")
    }
    try await platform.host.close()
  }

  @Test func `takes a token without issuer and expiry where the app says so`() async throws {
    let bare = Forged.hs256(#"{"sub":"42"}"#)
    let strict = try await AuthHost("app")
    #expect(try await strict.refusal(of: bare) != nil)
    try await strict.host.close()
    let lenient = try await AuthHost(
      "app",
      settings: #"""
        {"access_token_seconds":900,"session_days":30,"user_token_seconds":3600,
         "user_token_issuer_optional":true,"user_token_expiry_optional":true,"issuers":[],
         "allow_guests":true,"guest_seconds":3600,"guests_per_address":2,"guest_limit":5,"guest_scopes":["chat.read"],
         "user_scopes":[]}
        """#)
    let reply = try await lenient.identify(bare)
    #expect(reply.id == "42")
    #expect(reply.expiresAt == 0)
    // What is there counts as ever.
    #expect(try await lenient.refusal(of: Forged.hs256(#"{"sub":"42","exp":1767225000}"#)) != nil)
    #expect(try await lenient.refusal(of: Forged.hs256(#"{"sub":"42","iss":"other"}"#)) != nil)
    try await lenient.host.close()
  }

  /// The test host's clock begins at 1767225600000.
  @Test func `takes a token under a secret that was rotated out until its grace ends`() async throws
  {
    let app = try await AuthHost("app", secret: Array("ss_new".utf8))
    let token = Forged.hs256(Self.good)
    let badSignature = TokenRefusal.badSignature.reason
    #expect(try await app.refusal(of: token) == badSignature)
    let former =
      "1767225660000 ss_other\n1767225660000 \(String(decoding: AuthHost.secret, as: UTF8.self))\n"
    try await app.host.setSecret("tenant.signing.previous", Array(former.utf8))
    let identity = try await app.identify(token)
    #expect(identity.id == "alice" && identity.expiresAt == 1_767_225_660_000)
    #expect(try await app.refusal(of: Forged.token(#"{"alg":"HS256"}"#, Self.good)) == badSignature)
    try await app.host.advance(milliseconds: 60_000)
    #expect(try await app.refusal(of: token) == TokenRefusal.expired.reason)
    for broken in [
      "", "x", "1767225660000", " ss_x\n", "\n\n", String(repeating: "9", count: 30) + " ss_x\n",
    ] {
      try await app.host.setSecret("tenant.signing.previous", Array(broken.utf8))
      #expect(try await app.refusal(of: token) == badSignature, "\(broken)")
    }
    try await app.host.close()
  }

  /// RFC 8725 §2: attacks on JWTs that have happened.
  @Test(arguments: ["0", "-0.0", "0.0001", "1"])
  func `lets nobody in by a token of the beginning of all time`(exp: String) async throws {
    for optional in ["false", "true"] {
      let app = try await AuthHost(
        "app",
        settings: AuthHost.settings([
          #""user_token_expiry_optional":false"#: #""user_token_expiry_optional":\#(optional)"#
        ]))
      let token = Forged.hs256(#"{"iss":"app","sub":"bob","exp":\#(exp)}"#)
      #expect(try await app.refusal(of: token) == TokenRefusal.expired.reason)
      let listener = Forged.hs256(#"{"iss":"app","sub":"bob","exp":\#(exp),"channel":"$room"}"#)
      await #expect(throws: HostError(.expired, TokenRefusal.expired.reason)) {
        try await app.identify(listener, for: "subscription")
      }
      try await app.host.close()
    }
  }

  @Test func `refuses what is forged, foreign, expired or broken`() async throws {
    let app = try await AuthHost("app")
    let key = try SigningKey.generate()
    let whole = Forged.hs256(Self.good)
    let parts = whole.split(separator: ".").map(String.init)
    let none = #"{"alg":"none"}"#
    let wrongAlgorithm = TokenRefusal.wrongAlgorithm.reason
    let malformed = TokenRefusal.malformed.reason
    let badSignature = TokenRefusal.badSignature.reason
    let vectors: [(token: String, reason: String)] = [
      // §2.1, no signature at all
      (Forged.token(none, Self.good), wrongAlgorithm),
      (Forged.token(#"{"alg":"None"}"#, Self.good), wrongAlgorithm),
      (Forged.hs256(Self.good, header: none), wrongAlgorithm),
      (Forged.token(#"{"alg":"HS256"}"#, Self.good), badSignature),
      // §2.1, another algorithm than the tenant's
      (
        try Forged.token(#"{"alg":"ES256","kid":"\#(key.id)"}"#, Self.good, sign: key.sign),
        wrongAlgorithm
      ),
      (Forged.hs256(Self.good, header: #"{"alg":"HS512"}"#), wrongAlgorithm),
      (Forged.hs256(Self.good, header: #"{"alg":"hs256"}"#), wrongAlgorithm),
      // another secret, no secret, the public key as the secret
      (Forged.hs256(Self.good, secret: Array("ss_another".utf8)), badSignature),
      (Forged.hs256(Self.good, secret: []), badSignature),
      (Forged.hs256(Self.good, secret: key.x + key.y), badSignature),
      // RFC 7515 §4.1.11, RFC 8725 §3.11
      (
        Forged.hs256(Self.good, header: #"{"alg":"HS256","crit":["exp"],"exp":1}"#),
        TokenRefusal.unsupportedHeader.reason
      ),
      (
        Forged.hs256(Self.good, header: #"{"alg":"HS256","typ":"secevent+jwt"}"#),
        TokenRefusal.unsupportedHeader.reason
      ),
      // RFC 7515 §4, duplicate members
      (Forged.hs256(Self.good, header: #"{"alg":"none","alg":"HS256"}"#), malformed),
      (
        Forged.hs256(#"{"iss":"app","iss":"app","sub":"a","exp":1767229200}"#), malformed
      ),
      // truncated, extended, altered
      (String(whole.dropLast(2)), malformed),
      (String(whole.dropLast(3)), badSignature),
      (parts[0] + "." + parts[1], malformed),
      (parts[0] + "." + parts[1] + ".", badSignature),
      (whole + ".", malformed),
      ("." + whole, malformed),
      (parts[0] + ".." + parts[2], malformed),
      ("." + parts[1] + "." + parts[2], malformed),
      (whole + "=", malformed),
      (" " + whole, malformed),
      (
        parts[0] + "." + parts[1].replacing("e", with: "+", maxReplacements: 1) + "." + parts[2],
        malformed
      ),
      (Forged.hs256("not JSON"), malformed),
      (Forged.hs256(Self.good, header: "{}"), malformed),
      (Forged.hs256(Self.good, header: "[]"), malformed),
      ("", malformed),
      ("sk_unknown", malformed),
      (String(repeating: "a", count: 5_000), malformed),
      // §2.7, another's token
      (
        Forged.hs256(#"{"iss":"other","sub":"alice","exp":1767229200}"#),
        TokenRefusal.foreignIssuer.reason
      ),
      (
        Forged.hs256(#"{"iss":"app","sub":"alice","exp":1767225539}"#),
        TokenRefusal.expired.reason
      ),
      (
        Forged.hs256(#"{"iss":"app","sub":"alice","exp":1767229200,"iat":1767225661}"#),
        TokenRefusal.notYetValid.reason
      ),
    ]
    for vector in vectors {
      #expect(try await app.refusal(of: vector.token) == vector.reason, "\(vector.token)")
    }
    #expect(try await app.refusal(of: whole) == nil)
    try await app.host.close()
  }

  @Test func `knows nobody in an app without a signing secret`() async throws {
    let app = try await AuthHost("app", secret: nil)
    #expect(try await app.refusal(of: Forged.hs256(Self.good)) == TokenRefusal.noSecret.reason)
    try await app.host.close()
  }

  @Test func `takes the secret that is in force`() async throws {
    let app = try await AuthHost("app")
    let token = Forged.hs256(Self.good)
    #expect(try await app.refusal(of: token) == nil)
    try await app.host.setSecret("tenant.signing", Array("ss_new".utf8))
    #expect(try await app.refusal(of: token) == TokenRefusal.badSignature.reason)
    try await app.host.close()
  }
}

@Suite struct `The authenticator, asked about a key,` {
  private func ask(_ app: AuthHost, _ query: String) async throws -> Reply {
    let bytes = try await app.host.call(
      "sluice.authenticator/1", method: 1, bytes: Array(query.utf8))
    return try JSON.decode(from: bytes)
  }

  @Test func `gives it the scopes that it has`() async throws {
    for tenant in ["app", "platform"] {
      let app = try await AuthHost(tenant)
      let reply = try await ask(
        app,
        #"""
        {"kind":"key","credential":"sk_x",
         "key":{"id":"key_1","scopes":["a","b"],"expires_at_ms":1767225600001}}
        """#)
      #expect(reply.kind == .key)
      #expect(reply.id == "key_1")
      #expect(reply.scopes == ["a", "b"])
      #expect(reply.claims.text == "{}")
      #expect(reply.expiresAt == 1_767_225_600_001)
      try await app.host.close()
    }
  }

  @Test(arguments: [
    (
      #"{"kind":"key","credential":"sk_x","key":{"id":"k","scopes":[],"expires_at_ms":1767225600000}}"#,
      TokenRefusal.expired
    ),
    (#"{"kind":"key","credential":"sk_x"}"#, TokenRefusal.malformed),
  ])
  func `refuses an expired one and none`(
    query: String, refusal: TokenRefusal
  ) async throws {
    let app = try await AuthHost("app")
    let status = refusal == .expired ? Status.expired : .unauthenticated
    await #expect(throws: HostError(status, refusal.reason)) {
      try await ask(app, query)
    }
    try await app.host.close()
  }
}

extension `The authenticator, asked about a key,` {
  @Test func `takes who shows a public one for nobody in particular`() async throws {
    let app = try await AuthHost("app")
    let reply = try await ask(
      app,
      #"{"kind":"key","credential":"pk_x","key":{"id":"key_1","scopes":["*"],"expires_at_ms":0}}"#)
    #expect(reply.kind == .anonymous && reply.id == "key_1" && reply.scopes == [])
    try await app.host.close()
  }
}

@Suite struct `The authenticator of the platform` {
  @Test func `knows an account by its access token`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let reply = try await platform.identify(ada.accessToken)
    #expect(reply.kind == .account)
    #expect(reply.id == ada.account?.id)
    #expect(reply.scopes == ["*"])
    #expect(try reply.claims.decode([String: String].self)["sid"]?.hasPrefix("ses_") == true)
    #expect(reply.expiresAt == 1_767_225_600_000 + 960_000)
    try await platform.host.advance(milliseconds: 959_999)
    #expect(try await platform.refusal(of: ada.accessToken) == nil)
    try await platform.host.advance(milliseconds: 1)
    #expect(try await platform.refusal(of: ada.accessToken) == TokenRefusal.expired.reason)
    try await platform.host.close()
  }

  @Test func `refuses the token of a session that has ended`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    var others: [SignedIn] = []
    for _ in 0..<3 {
      let body = #"{"email":"ada@example.com","password":"correct horse"}"#
      others.append(try await platform.request("POST", "/v1/sessions", body).json())
    }
    let first = try await platform.principal(ada)
    func refusals() async throws -> [Bool] {
      var refused: [Bool] = []
      for session in [ada] + others {
        refused.append(try await platform.refusal(of: session.accessToken) != nil)
      }
      return refused
    }
    #expect(try await refusals() == [false, false, false, false])
    let second = try await platform.principal(others[0])
    #expect(try await platform.status("DELETE", "/v1/sessions/current", as: second).status == 204)
    #expect(try await refusals() == [false, true, false, false])
    #expect(try await platform.host.identitiesForgotten == 1)
    let change = #"{"current":"correct horse","new":"another horse"}"#
    #expect(try await platform.status("PUT", "/v1/me/password", change, as: first).status == 204)
    #expect(try await refusals() == [false, true, true, true])
    #expect(try await platform.host.identitiesForgotten == 2)
    #expect(
      try await platform.refusal(of: others[1].accessToken) == TokenRefusal.sessionEnded.reason)
    try await platform.host.close()
  }

  @Test func `refuses what is not signed with its own key`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let id = try #require(ada.account?.id)
    let stored = try #require(try await platform.host.secret("auth.signing"))
    let key = try KeyRing(stored).signingKey(0)
    let other = try SigningKey.generate()
    let session = try #require(
      try await platform.identify(ada.accessToken).claims.decode([String: String].self)["sid"])
    let claims =
      #"{"iss":"platform","sub":"\#(id)","sid":"\#(session)","iat":1767225600,"exp":1767226500}"#
    func es256(_ claims: String, kid: String, by key: SigningKey) throws -> String {
      try Forged.token(#"{"alg":"ES256","kid":"\#(kid)"}"#, claims, sign: key.sign)
    }
    let vectors: [(token: String, refusal: TokenRefusal?)] = [
      (try es256(claims, kid: key.id, by: key), nil),
      (try es256(claims, kid: key.id, by: other), .badSignature),
      (try es256(claims, kid: other.id, by: other), .unknownKey),
      (try Forged.token(#"{"alg":"ES256"}"#, claims, sign: key.sign), .unknownKey),
      (Forged.token(#"{"alg":"none"}"#, claims), .wrongAlgorithm),
      // RFC 8725 §2.1: the public key taken for a shared secret.
      (
        Forged.hs256(
          claims, secret: [4] + key.x + key.y, header: #"{"alg":"HS256","kid":"\#(key.id)"}"#),
        .wrongAlgorithm
      ),
      (
        try es256(claims.replacing("platform", with: "app"), kid: key.id, by: key),
        .foreignIssuer
      ),
      (
        try es256(claims.replacing("sid", with: "xid"), kid: key.id, by: key), .badClaim("sid")
      ),
      (try es256(claims.replacing(session, with: "ses_1"), kid: key.id, by: key), .sessionEnded),
      (try es256(claims.replacing(id, with: "acc_1"), kid: key.id, by: key), .sessionEnded),
    ]
    for vector in vectors {
      #expect(try await platform.refusal(of: vector.token) == vector.refusal?.reason)
    }
    try await platform.host.close()
  }

  @Test func `knows nobody before there is a key`() async throws {
    let platform = try await AuthHost("platform")
    let key = try SigningKey.generate()
    let token = try Forged.token(#"{"alg":"ES256","kid":"\#(key.id)"}"#, "{}", sign: key.sign)
    #expect(try await platform.refusal(of: token) == TokenRefusal.unknownKey.reason)
    try await platform.host.close()
  }
}
