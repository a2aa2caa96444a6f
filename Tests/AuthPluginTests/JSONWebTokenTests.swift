import PluginKit
import Testing

@testable import AuthPlugin

@Suite struct `base64url` {
  /// RFC 4648 §10, without padding.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
    ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
  ])
  func `goes both ways`(text: String, encoded: String) {
    #expect(Base64.url.encode(text.utf8) == encoded)
    #expect(Base64.url.decode(encoded.utf8) == Array(text.utf8))
  }

  @Test func `uses the alphabet of RFC 4648 §5`() {
    #expect(Base64.url.encode([0xFB, 0xFF, 0xBF]) == "-_-_")
    #expect(Base64.url.decode("-_-_".utf8) == [0xFB, 0xFF, 0xBF])
  }

  @Test(arguments: ["Zg==", "Zg=", "Z", "Zm9vY", "Zm 8", "Zm+v", "Zm/v", "Zm9v\n", "Zmé"])
  func `refuses padding, other alphabets, spaces and impossible lengths`(text: String) {
    #expect(Base64.url.decode(text.utf8) == nil)
  }

  /// RFC 4648 §3.5: "Zh" would be another text for the byte of "Zg".
  @Test(arguments: ["Zh", "Zm9", "Zv"])
  func `refuses bits that say nothing and are not zero`(text: String) {
    #expect(Base64.url.decode(text.utf8) == nil)
  }
}

@Suite struct `A signature` {
  /// RFC 7515 Appendix A.1.
  @Test func `HS256 is that of RFC 7515 A.1`() throws {
    let key = try #require(
      Base64.url.decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
          .utf8))
    let token =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog"
      + "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    let jws = try CompactJWS(token)
    #expect(jws.header.algorithm == "HS256")
    #expect(HS256.verifies(jws.signature, of: jws.signingInput, with: key))
    #expect(!HS256.verifies(jws.signature, of: jws.signingInput, with: key + [0]))
    #expect(!HS256.verifies(Array(jws.signature.dropLast()), of: jws.signingInput, with: key))
  }

  /// RFC 7515 Appendix A.3.
  @Test func `ES256 accepts that of RFC 7515 A.3`() throws {
    let key = try SigningKey(serialized: Vector.privateKey)
    #expect(Base64.url.encode(key.x) == Vector.x)
    #expect(Base64.url.encode(key.y) == Vector.y)
    let jws = try CompactJWS(
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
        + "LmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8IS"
        + "lSApmWQxfKTUJqPP3-Kg6NU1Q")
    #expect(key.verifies(jws.signature, of: jws.signingInput))
    for index in [0, 31, 32, 63] {
      var changed = jws.signature
      changed[index] ^= 1
      #expect(!key.verifies(changed, of: jws.signingInput))
    }
    #expect(!key.verifies(jws.signature, of: jws.signingInput + [0]))
    #expect(!key.verifies(jws.signature + [0], of: jws.signingInput))
    #expect(!key.verifies([], of: jws.signingInput))
  }

  @Test func `ES256 of zeros is refused`() throws {
    let key = try SigningKey.generate()
    #expect(!key.verifies([UInt8](repeating: 0, count: 64), of: [1]))
  }

  @Test func `is accepted by the same key after it was stored`() throws {
    let key = try SigningKey.generate()
    let same = try SigningKey(serialized: try key.serialized())
    #expect(same.id == key.id)
    let signature = try key.sign([1, 2, 3])
    #expect(signature.count == 64)
    #expect(same.verifies(signature, of: [1, 2, 3]))
    #expect(try !SigningKey.generate().verifies(signature, of: [1, 2, 3]))
  }

  @Test func `is made with no key but one on P-256`() {
    #expect(throws: SigningKeyError.self) { try SigningKey(serialized: [1, 2, 3]) }
    #expect(throws: SigningKeyError.self) { try SigningKey(serialized: Vector.ed25519) }
    #expect(throws: SigningKeyError.self) {
      try SigningKey(serialized: Array(Vector.privateKey.dropLast(40)))
    }
  }

  private enum Vector {
    static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

    /// The JWK of RFC 7515 A.3.1 as an ECPrivateKey (RFC 5915 §3).
    static var privateKey: [UInt8] {
      func bytes(_ text: String) -> [UInt8] { Base64.url.decode(text.utf8) ?? [] }
      let secret = bytes("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")
      let curve: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
      let point: [UInt8] = [0x00, 0x04] + bytes(x) + bytes(y)
      return [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20] + secret
        + [0xA0, 0x0A] + curve + [0xA1, 0x44, 0x03, 0x42] + point
    }

    /// RFC 8410 §10.3, the first private key.
    static var ed25519: [UInt8] {
      let base64 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp-K06_nwoy_HU--CXqI9EdVhC"
      return Base64.url.decode(base64.utf8) ?? []
    }
  }
}

@Suite struct `The claims of a token` {
  private static let whole = #"{"iss":"app","sub":"alice","exp":1000,"iat":900,"nbf":900}"#
  private static let at = Timestamp(unixMilliseconds: 950_000)

  private static func refusal(of claims: String, at now: Timestamp = at) -> TokenRefusal? {
    do {
      try Claims(Array(claims.utf8)).check(tenant: "app", now: now)
      return nil
    } catch {
      return error
    }
  }

  @Test func `that are in order are accepted`() throws {
    #expect(Self.refusal(of: Self.whole) == nil)
    #expect(Self.refusal(of: #"{"iss":"app","sub":"a","exp":1e3}"#) == nil)
    #expect(Self.refusal(of: #"{"iss":"app","sub":"a","exp":1000.5,"aud":"app"}"#) == nil)
    #expect(Self.refusal(of: #"{"iss":"app","sub":"a","exp":1000,"aud":["x","app"]}"#) == nil)
    let claims = try Claims(
      Array(#"{"iss":"app","sub":"a","exp":1,"scopes":["a.b","*"],"sid":"s"}"#.utf8))
    #expect(claims.scopes == ["a.b", "*"])
    #expect(claims.session == "s")
  }

  /// RFC 7519 §4.1.4 to 4.1.6: a small leeway for clocks; here 60 s.
  @Test(arguments: [
    (1_059_999, nil), (1_060_000, TokenRefusal.expired), (840_000, nil),
    (839_999, .notYetValid),
  ])
  func `are good within sixty seconds of their times`(now: Int, refusal: TokenRefusal?) {
    #expect(Self.refusal(of: Self.whole, at: Timestamp(unixMilliseconds: Int64(now))) == refusal)
  }

  /// No number is "never", whether a token must have `exp` or not.
  @Test(
    arguments: ["0", "-0.0", "0.0001", "0e9", "1", "1.5", "1767225599.999"], [false, true])
  func `that name any time gone by are refused`(exp: String, mayLackExpiry: Bool) throws {
    let claims = try Claims(
      Array(#"{"iss":"app","sub":"a","exp":\#(exp)}"#.utf8), mayLackExpiry: mayLackExpiry)
    #expect(throws: TokenRefusal.expired) {
      try claims.check(tenant: "app", now: Timestamp(unixMilliseconds: 1_767_225_660_000))
    }
    #expect(try #require(claims.voidAt) >= Claims.leeway)
  }

  @Test(
    arguments: ["-1", "-0.0001", "253402300799.5", "1e300", "1e400", "null", "\"0\"", "true"],
    ["exp", "nbf", "iat"])
  func `that name no time are refused`(time: String, claim: String) {
    let rest = claim == "exp" ? "" : #","exp":1000"#
    let claims = #"{"iss":"app","sub":"a","\#(claim)":\#(time)\#(rest)}"#
    // The reader of JSON has no number for the one that is beyond all.
    #expect(
      [TokenRefusal.badClaim(claim), .malformed].contains(Self.refusal(of: claims)), "\(claims)")
    #expect(throws: TokenRefusal.self) { try Claims(Array(claims.utf8), mayLackExpiry: true) }
  }

  @Test func `without a time are good for ever only where they may be`() throws {
    let bare = Array(#"{"iss":"app","sub":"a"}"#.utf8)
    let claims = try Claims(bare, mayLackExpiry: true)
    try claims.check(tenant: "app", now: Self.at)
    #expect(claims.voidAt == nil)
    #expect(throws: TokenRefusal.badClaim("exp")) { try Claims(bare) }
    // Of 1970, and good since.
    #expect(Self.refusal(of: #"{"iss":"app","sub":"a","exp":1000,"nbf":0,"iat":-0.0}"#) == nil)
  }

  @Test(arguments: [
    ("", TokenRefusal.malformed),
    ("[]", .malformed),
    (#"{"iss":"app","sub":"a","exp":1000,"exp":9999}"#, .malformed),
    (#"{"iss":"app","sub":"a","exp":1000,"custom":{"x":1,"x":2}}"#, .malformed),
    (#"{"sub":"a","exp":1000}"#, .badClaim("iss")),
    (#"{"iss":"app","exp":1000}"#, .badClaim("sub")),
    (#"{"iss":"app","sub":"","exp":1000}"#, .badClaim("sub")),
    (#"{"iss":"app","sub":"a b","exp":1000}"#, .badClaim("sub")),
    (#"{"iss":"app","sub":7,"exp":1000}"#, .badClaim("sub")),
    (#"{"iss":"app","sub":"a"}"#, .badClaim("exp")),
    (#"{"iss":"app","sub":"a","exp":"1000"}"#, .badClaim("exp")),
    (#"{"iss":"app","sub":"a","exp":-1}"#, .badClaim("exp")),
    (#"{"iss":"app","sub":"a","exp":1e300}"#, .badClaim("exp")),
    (#"{"iss":"app","sub":"a","exp":null}"#, .badClaim("exp")),
    (#"{"iss":"app","sub":"a","exp":1000,"nbf":"x"}"#, .badClaim("nbf")),
    (#"{"iss":"app","sub":"a","exp":1000,"iat":true}"#, .badClaim("iat")),
    (#"{"iss":"app","sub":"a","exp":1000,"aud":7}"#, .badClaim("aud")),
    (#"{"iss":"app","sub":"a","exp":1000,"scopes":"a b"}"#, .badClaim("scopes")),
    (#"{"iss":"app","sub":"a","exp":1000,"scopes":["a b"]}"#, .badClaim("scopes")),
    (#"{"iss":"other","sub":"a","exp":1000}"#, .foreignIssuer),
    (#"{"iss":"app","sub":"a","exp":1000,"aud":"other"}"#, .foreignAudience),
    (#"{"iss":"app","sub":"a","exp":1000,"aud":[]}"#, .foreignAudience),
    (#"{"iss":"app","sub":"a","exp":1000,"nbf":1011}"#, .notYetValid),
    (#"{"iss":"app","sub":"a","exp":1000,"iat":1011}"#, .notYetValid),
  ])
  func `that are not are refused`(claims: String, refusal: TokenRefusal) {
    #expect(Self.refusal(of: claims) == refusal)
    #expect(!refusal.reason.isEmpty)
  }
}
