import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

/// Settings with one issuer or several.
private func settings(_ issuers: String) -> RawJSON {
  RawJSON(
    unchecked: Array(
      AuthHost.settings.text.replacing(#""issuers":[]"#, with: #""issuers":[\#(issuers)]"#).utf8))
}

extension SigningKey {
  /// The public key as a JWK.
  fileprivate func jwk(kid: String?) -> String {
    let (x, y) = (Base64.url.encode(x), Base64.url.encode(y))
    let id = kid.map { #""kid":"\#($0)","# } ?? ""
    return #"{\#(id)"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#
  }
}

@Suite struct `A token of an issuer that the app trusts` {
  private static let name = "https://id.example"
  private static let good =
    #"{"iss":"https://id.example","aud":"shop","sub":"alice","iat":1767225600,"exp":1767229200}"#

  private static func issuer(
    _ keys: String, algorithms: String = #""ES256""#, more: String = ""
  ) -> String {
    #"""
    {"issuer":"\#(name)","algorithms":[\#(algorithms)],"audience":"shop",
     "keys":{"keys":[\#(keys)]}\#(more)}
    """#
  }

  @Test func `has the scopes of the app's users where the app says nothing of the issuer's`()
    async throws
  {
    let key = try SigningKey.generate()
    let app = try await AuthHost("app", settings: settings(Self.issuer(key.jwk(kid: nil))))
    let plain = try await app.identify(try Self.es256(by: key))
    #expect(plain.scopes == ["chat.read", "chat.write"])
    let greedy = Self.good.replacing(
      #""sub""#, with: #""scopes":["users.write","chat.write"],"sub""#)
    #expect(try await app.identify(try Self.es256(greedy, by: key)).scopes == ["chat.write"])
    try await app.host.close()
  }

  private static func es256(
    _ claims: String = good, by key: SigningKey,
    header: String = #"{"alg":"ES256","typ":"JWT"}"#
  ) throws -> String {
    try Forged.token(header, claims, sign: key.sign)
  }

  @Test func `says who its user is, and may no more than the app lets it`() async throws {
    let key = try SigningKey.generate()
    let app = try await AuthHost(
      "app",
      settings: settings(
        Self.issuer(
          key.jwk(kid: nil), more: #","user_prefix":"id|","scopes":["chat.read"]"#)))
    let plain = try await app.identify(try Self.es256(by: key))
    #expect(plain.kind == .user && plain.id == "id|alice" && plain.scopes == ["chat.read"])
    #expect(plain.claims.text == Self.good)
    #expect(plain.expiresAt == 1_767_229_260_000)
    let greedy = Self.good.replacing(
      #""sub""#, with: #""scopes":["users.write","chat.read"],"sub""#)
    #expect(try await app.identify(try Self.es256(greedy, by: key)).scopes == ["chat.read"])
    let modest = Self.good.replacing(#""sub""#, with: #""scopes":[],"sub""#)
    #expect(try await app.identify(try Self.es256(modest, by: key)).scopes == [])
    // The app's own tokens are good as ever.
    let own = Forged.hs256(#"{"iss":"app","sub":"bob","exp":1767229200}"#)
    #expect(try await app.identify(own).id == "bob")
    try await app.host.close()
  }

  private struct Arrived: Decodable {
    struct User: Decodable { var id: String }

    var user: User
  }

  @Test func `lets a guest in who stays, under the id that the guest has had`() async throws {
    let key = try SigningKey.generate()
    let app = try await AuthHost(
      "app", settings: settings(Self.issuer(key.jwk(kid: nil), more: #","user_prefix":"id|""#)))
    func guest() async throws -> String {
      try await app.request(
        "POST", "/v1/guests", "{}", as: Principal(kind: .anonymous, id: "key_1")
      ).json(Arrived.self).user.id
    }
    func upgrade(_ id: String, _ subject: String, issuer: String = Self.name) async throws
      -> TestReply
    {
      try await app.request(
        "POST", "/v1/users/\(id)/upgrade",
        #"{"identity":{"issuer":"\#(issuer)","subject":"\#(subject)"}}"#, as: .key())
    }
    let (alice, other) = (try await guest(), try await guest())
    #expect(try await app.identify(try Self.es256(by: key)).id == "id|alice")
    let foreign = try await upgrade(alice, "alice", issuer: "https://other.example")
    #expect(foreign.problem?.errors?.map(\.pointer) == ["/identity/issuer"])
    #expect(
      try await upgrade(alice, "a b").problem?.errors?.map(\.pointer) == ["/identity/subject"])
    let stays = try await upgrade(alice, "alice")
    #expect(stays.status == 200)
    #expect(
      stays.text.contains(#""identity":{"issuer":"https://id.example","subject":"alice"}"#))
    let known = try await app.identify(try Self.es256(by: key))
    #expect(known.id == alice && known.kind == .user)
    let bob = Self.good.replacing("alice", with: "bob")
    #expect(try await app.identify(try Self.es256(bob, by: key)).id == "id|bob")
    // Nobody takes another's identity, or that of a user who is known by it.
    #expect(try await upgrade(other, "alice").status == 409)
    #expect(try await app.request("PUT", "/v1/users/id|bob", "{}", as: .key()).status == 200)
    #expect(try await upgrade(other, "bob").status == 409)
    #expect(try await upgrade("nobody", "carol").status == 404)
    // What is revoked is revoked by whichever token.
    #expect(try await app.request("POST", "/v1/users/\(alice)/revoke", as: .key()).status == 200)
    #expect(try await app.refusal(of: try Self.es256(by: key)) == TokenRefusal.revoked.reason)
    #expect(try await app.request("DELETE", "/v1/users/\(alice)", as: .key()).status == 204)
    // Nor do they let in somebody else when he is forgotten.
    #expect(try await app.refusal(of: try Self.es256(by: key)) == TokenRefusal.revoked.reason)
    #expect(try await app.identify(try Self.es256(bob, by: key)).id == "id|bob")
    try await app.host.close()
  }

  @Test func `may be for one channel`() async throws {
    let key = try SigningKey.generate()
    let app = try await AuthHost("app", settings: settings(Self.issuer(key.jwk(kid: nil))))
    let token = try Self.es256(
      Self.good.replacing(#""sub""#, with: #""channel":"$x","sub""#), by: key)
    #expect(try await app.identify(token, for: "subscription").id == "alice")
    #expect(try await app.refusal(of: token) == TokenRefusal.badClaim("channel").reason)
    try await app.host.close()
  }

  /// RFC 8725 §3.11 and RFC 9068 §2.1; RFC 7515 §4.1.9 for the prefix and for small letters.
  @Test(arguments: [
    (#"{"alg":"ES256"}"#, true), (#"{"alg":"ES256","typ":"jwt"}"#, true),
    (#"{"alg":"ES256","typ":"application/jwt"}"#, true),
    (#"{"alg":"ES256","typ":"at+jwt"}"#, true), (#"{"alg":"ES256","typ":"logout+jwt"}"#, false),
    (#"{"alg":"ES256","typ":"JOSE"}"#, false), (#"{"alg":"ES256","typ":""}"#, false),
    // RFC 7519 §5.2, RFC 7797 §3, RFC 7515 §4.1.11
    (#"{"alg":"ES256","cty":"JWT"}"#, false), (#"{"alg":"ES256","b64":false}"#, false),
    (#"{"alg":"ES256","crit":["b64"],"b64":false}"#, false), (#"{"alg":"ES256","crit":[]}"#, false),
    (#"{"alg":"ES256","crit":null}"#, false),
  ])
  func `has a header of which all is understood`(header: String, isGood: Bool) async throws {
    let key = try SigningKey.generate()
    let app = try await AuthHost("app", settings: settings(Self.issuer(key.jwk(kid: nil))))
    let refusal = try await app.refusal(of: try Self.es256(by: key, header: header))
    #expect(refusal == (isGood ? nil : TokenRefusal.unsupportedHeader.reason))
    try await app.host.close()
  }

  @Test func `says with which of several keys it is signed`() async throws {
    let (a, b, c) = (
      try SigningKey.generate(), try SigningKey.generate(), try SigningKey.generate()
    )
    let app = try await AuthHost(
      "app", settings: settings(Self.issuer(a.jwk(kid: "a") + "," + b.jwk(kid: "b"))))
    func refusal(_ kid: String, by key: SigningKey) async throws -> String? {
      try await app.refusal(
        of: try Self.es256(by: key, header: #"{"alg":"ES256"\#(kid)}"#))
    }
    #expect(try await refusal(#","kid":"a""#, by: a) == nil)
    #expect(try await refusal(#","kid":"b""#, by: b) == nil)
    #expect(try await refusal(#","kid":"a""#, by: b) == TokenRefusal.badSignature.reason)
    #expect(try await refusal("", by: a) == TokenRefusal.unknownKey.reason)
    #expect(try await refusal(#","kid":"c""#, by: c) == TokenRefusal.unknownKey.reason)
    #expect(try await refusal(#","kid":"A""#, by: a) == TokenRefusal.unknownKey.reason)
    // RFC 8725 §3.10: keys that the token brings along are not looked at.
    #expect(
      try await refusal(#","kid":"a","jwk":\#(c.jwk(kid: "a"))"#, by: c)
        == TokenRefusal.badSignature.reason)
    #expect(
      try await refusal(#","jku":"https://evil.example/keys""#, by: c)
        == TokenRefusal.unknownKey.reason)
    try await app.host.close()
  }

  /// RFC 8725 §2 and §3, by section.
  @Test func `is refused when it is forged, foreign, expired or broken`() async throws {
    let (key, other) = (try SigningKey.generate(), try SigningKey.generate())
    let app = try await AuthHost("app", settings: settings(Self.issuer(key.jwk(kid: "k"))))
    let point = [4] + key.x + key.y
    func claims(_ change: (old: String, new: String)) -> String {
      Self.good.replacing(change.old, with: change.new)
    }
    let own = Forged.hs256(#"{"iss":"app","aud":"shop","sub":"a","exp":1767229200}"#)
    let vectors: [(token: String, refusal: TokenRefusal)] = [
      // §2.1, §3.1: no signature, and the public key or the app's secret as HMAC's
      (Forged.token(#"{"alg":"none"}"#, Self.good), .wrongAlgorithm),
      (Forged.token(#"{"alg":"NONE"}"#, Self.good), .wrongAlgorithm),
      (Forged.token(#"{"alg":""}"#, Self.good), .wrongAlgorithm),
      (Forged.token(#"{"alg":"ES256"}"#, Self.good), .badSignature),
      (Forged.hs256(Self.good, secret: point), .wrongAlgorithm),
      (Forged.hs256(Self.good, secret: Array(key.jwk(kid: "k").utf8)), .wrongAlgorithm),
      (Forged.hs256(Self.good), .wrongAlgorithm),
      (try Self.es256(by: key, header: #"{"alg":"es256"}"#), .wrongAlgorithm),
      (try Self.es256(by: key, header: #"{"alg":"ES384"}"#), .wrongAlgorithm),
      (try Self.es256(by: key, header: #"{"alg":"EdDSA"}"#), .wrongAlgorithm),
      (try Self.es256(by: key, header: #"{"alg":["ES256"]}"#), .malformed),
      (try Self.es256(by: key, header: #"{"alg":"ES256","kid":7}"#), .malformed),
      (try Self.es256(by: key, header: #"{"alg":"ES256","alg":"ES256"}"#), .malformed),
      // another's key, and another key of the same name
      (try Self.es256(by: other), .badSignature),
      (try Self.es256(by: other, header: #"{"alg":"ES256","kid":"k"}"#), .badSignature),
      (try Self.es256(by: key, header: #"{"alg":"ES256","kid":"x"}"#), .unknownKey),
      // the issuer's key for the app's own tokens, and the app's secret for the issuer's
      (
        try Self.es256(
          #"{"iss":"app","aud":"shop","sub":"a","exp":1767229200}"#, by: key), .wrongAlgorithm
      ),
      (own, .foreignAudience),
      // §3.8, §3.9: issuer, subject and audience
      (try Self.es256(claims(("id.example", "id.example/")), by: key), .wrongAlgorithm),
      (try Self.es256(claims((#""aud":"shop","#, "")), by: key), .foreignAudience),
      (try Self.es256(claims(("shop", "Shop")), by: key), .foreignAudience),
      (try Self.es256(claims((#""shop""#, #"["a","b"]"#)), by: key), .foreignAudience),
      (try Self.es256(claims((#""shop""#, "null")), by: key), .badClaim("aud")),
      (try Self.es256(claims((#""sub":"alice","#, "")), by: key), .badClaim("sub")),
      (try Self.es256(claims(("alice", "")), by: key), .badClaim("sub")),
      // RFC 7519 §4.1.4 to §4.1.6
      (try Self.es256(claims((#","exp":1767229200"#, "")), by: key), .badClaim("exp")),
      (try Self.es256(claims(("1767229200", "1767225540")), by: key), .expired),
      (try Self.es256(claims(("1767225600", "1767225661")), by: key), .notYetValid),
      (
        try Self.es256(claims((#""sub""#, #""nbf":1767225661,"sub""#)), by: key), .notYetValid
      ),
      // RFC 7519 §4: no claim twice, at any depth
      (try Self.es256(claims((#""sub""#, #""sub":"bob","sub""#)), by: key), .wrongAlgorithm),
      // §2.4, §3.2: an encrypted token has five parts
      ("eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA", .malformed),
    ]
    for vector in vectors {
      #expect(
        try await app.refusal(of: vector.token) == vector.refusal.reason, "\(vector.token)")
    }
    #expect(try await app.refusal(of: try Self.es256(by: key)) == nil)
    let both = claims((#""shop""#, #"["x","shop"]"#))
    #expect(try await app.refusal(of: try Self.es256(both, by: key)) == nil)
    try await app.host.close()
  }

  @Test func `has at most 4,096 bytes`() async throws {
    let key = try SigningKey.generate()
    let app = try await AuthHost("app", settings: settings(Self.issuer(key.jwk(kid: nil))))
    func token(_ padding: Int) throws -> String {
      let claims = Self.good.replacing(
        #""sub""#, with: #""x":"\#(String(repeating: "x", count: padding))","sub""#)
      return try Self.es256(claims, by: key)
    }
    let good = try token(2_800)
    #expect(good.utf8.count < 4_096)
    #expect(try await app.refusal(of: good) == nil)
    #expect(try await app.refusal(of: try token(3_100)) == TokenRefusal.malformed.reason)
    try await app.host.close()
  }

  @Test func `may be under a secret of the issuer's own`() async throws {
    let secret = [UInt8](repeating: 7, count: 32)
    let app = try await AuthHost(
      "app",
      settings: settings(
        Self.issuer(
          #"{"kty":"oct","k":"\#(Base64.url.encode(secret))"}"#, algorithms: #""HS256""#)))
    #expect(try await app.identify(Forged.hs256(Self.good, secret: secret)).id == "alice")
    #expect(try await app.refusal(of: Forged.hs256(Self.good)) == TokenRefusal.badSignature.reason)
    let own = Forged.hs256(#"{"iss":"app","sub":"a","exp":1767229200}"#, secret: secret)
    #expect(try await app.refusal(of: own) == TokenRefusal.badSignature.reason)
    try await app.host.close()
  }
}

@Suite struct `Settings of an issuer` {
  private static func one(
    _ keys: String = PrintedKey.es256, algorithms: String = #""ES256""#,
    issuer: String = "https://id.example", more: String = ""
  ) -> String {
    #"{"issuer":"\#(issuer)","algorithms":[\#(algorithms)],"audience":"a","keys":{"keys":[\#(keys)]}\#(more)}"#
  }

  @Test(arguments: [
    (one(PrintedKey.es256 + "," + PrintedKey.es256), "/issuers/0/keys", "kid"),
    (
      one(
        PrintedKey.es256.replacing("{", with: #"{"kid":"a","#) + ","
          + PrintedKey.es256.replacing("{", with: #"{"kid":"a","#)), "/issuers/0/keys/keys/1/kid",
      "Another key"
    ),
    (one(PrintedKey.rs256), "/issuers/0/keys", "no key for ES256"),
    (one(algorithms: #""ES256","RS256""#), "/issuers/0/keys", "no key for RS256"),
    (
      one(PrintedKey.es256 + "," + PrintedKey.hs256, algorithms: #""ES256","HS256""#),
      "/issuers/0/algorithms", "HS256 stands alone"
    ),
    (
      one(#"{"kty":"oct","k":"AAAA"}"#, algorithms: #""HS256""#), "/issuers/0/keys/keys/0",
      "32 to 512"
    ),
    (one(issuer: "app"), "/issuers/0/issuer", "signing secret"),
    (one() + "," + one(), "/issuers/1/issuer", "another issuer"),
    (one(issuer: "platform"), "/issuers/0/issuer", "the gateway's own"),
    (one(issuer: "app_01m80tfmjfearan58bh2dr8v54"), "/issuers/0/issuer", "the gateway's own"),
    (one(more: #","user_prefix":"a b""#), "/issuers/0/user_prefix", "no spaces"),
    (one(more: #","scopes":["a b"]"#), "/issuers/0/scopes", "visible ASCII"),
  ])
  func `are refused where they do not hold together`(
    issuers: String, pointer: String, reason: String
  ) async throws {
    do {
      let app = try await AuthHost("app", settings: settings(issuers))
      try await app.host.close()
      Issue.record("\(issuers) is accepted")
    } catch let error as ConfigurationError {
      #expect(error.pointer == pointer)
      #expect(error.message.contains(reason), "\(error.message)")
    }
  }

  @Test func `may have keys of other kinds among them`() async throws {
    let app = try await AuthHost(
      "app",
      settings: settings(
        Self.one(
          #"{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"},"# + PrintedKey.es256 + ","
            + PrintedKey.edDSA)))
    try await app.host.close()
  }
}
