import PluginKit
import Testing

@testable import AuthPlugin

/// Keys and signed messages that the specifications print.
enum PrintedKey {
  /// RFC 7515 A.1.1
  static let hs256 =
    #"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#
  /// RFC 7515 A.2.1, the public part
  static let rs256 =
    #"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#
  /// RFC 7515 A.3.1, the public part
  static let es256 =
    #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
  /// RFC 8037 A.2
  static let edDSA =
    #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#

  static func key(_ text: String) throws -> JSONWebKey { try JSON.decode(from: Array(text.utf8)) }
}

@Suite struct `A key of an issuer` {
  /// RFC 7515 A.1 to A.3, RFC 8037 A.4.
  @Test(arguments: [
    (
      PrintedKey.hs256,
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    ),
    (
      PrintedKey.rs256,
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    ),
    (
      PrintedKey.es256,
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    ),
    (
      PrintedKey.edDSA,
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    ),
  ])
  func `verifies what its specification prints, and nothing near it`(
    key: String, token: String
  ) throws {
    let written = try PrintedKey.key(key)
    let key = try VerificationKey(written, try #require(written.usableAlgorithm))
    let jws = try CompactJWS(token)
    #expect(jws.header.algorithm == key.algorithm.rawValue)
    #expect(key.verifies(jws.signature, of: jws.signingInput))
    for index in [0, jws.signature.count / 2, jws.signature.count - 1] {
      var changed = jws.signature
      changed[index] ^= 1
      #expect(!key.verifies(changed, of: jws.signingInput))
    }
    #expect(!key.verifies(jws.signature, of: jws.signingInput + [0]))
    #expect(!key.verifies(jws.signature + [0], of: jws.signingInput))
    #expect(!key.verifies(Array(jws.signature.dropLast()), of: jws.signingInput))
    #expect(!key.verifies([], of: jws.signingInput))
    // r and s of zero, which some have taken for a signature of everything.
    #expect(
      !key.verifies([UInt8](repeating: 0, count: jws.signature.count), of: jws.signingInput))
  }

  @Test func `verifies no signature in another form`() throws {
    let key = try SigningKey.generate()
    let (x, y) = (Base64.url.encode(key.x), Base64.url.encode(key.y))
    let other = try VerificationKey(
      try PrintedKey.key(#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#), .es256)
    let signature = try key.sign([1, 2, 3])
    #expect(other.verifies(signature, of: [1, 2, 3]))
    // RFC 7518 §3.4: r and s side by side, no DER.
    let der = try #require(ECDSASignature(raw: signature)).der
    #expect(!other.verifies(der, of: [1, 2, 3]))
  }

  @Test(arguments: [
    (PrintedKey.hs256, SignatureAlgorithm.hs256), (PrintedKey.rs256, .rs256),
    (PrintedKey.es256, .es256), (PrintedKey.edDSA, .edDSA),
  ])
  func `is for one algorithm, which its type says`(key: String, algorithm: SignatureAlgorithm)
    throws
  {
    #expect(try PrintedKey.key(key).usableAlgorithm == algorithm)
    let named = key.replacing("{", with: #"{"alg":"\#(algorithm.rawValue)","use":"sig","#)
    #expect(try PrintedKey.key(named).usableAlgorithm == algorithm)
    for other in ["RS512", "PS256", "ES384", "HS512", "none", "RSA-OAEP"] {
      let wrong = key.replacing("{", with: #"{"alg":"\#(other)","#)
      #expect(try PrintedKey.key(wrong).usableAlgorithm == nil)
    }
  }

  /// RFC 7517 §4.2, §4.3 and §5: sets have keys for other purposes too.
  @Test(arguments: [
    #"{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}"#,
    #"{"kty":"RSA","key_ops":["encrypt"],"n":"AQAB","e":"AQAB"}"#,
    #"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#,
    #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#,
    #"{"kty":"OKP","crv":"X25519","x":"AA"}"#,
    #"{"kty":"OKP","crv":"Ed448","x":"AA"}"#,
    #"{"kty":"AKP"}"#,
  ])
  func `of another kind or use is left out`(key: String) throws {
    #expect(try PrintedKey.key(key).usableAlgorithm == nil)
  }

  @Test(arguments: [
    // RFC 7518 §3.2, §3.3, §6
    (#"{"kty":"oct","k":"AAAA"}"#, "32 to 512 bytes"),
    (#"{"kty":"oct"}"#, #""k" in base64url"#),
    (#"{"kty":"oct","k":"AAA="}"#, #""k" in base64url"#),
    (#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "2,048 bits"),
    (#"{"kty":"RSA","n":"AQAB"}"#, #""e" in base64url"#),
    (PrintedKey.rs256.replacing("AQAB", with: "Aw"), "65,537"),
    (PrintedKey.rs256.replacing("AQAB", with: "AQAA"), "odd exponent"),
    (PrintedKey.rs256.replacing("uXpoQ", with: "uXpoA"), "odd modulus"),
    // RFC 8725 §3.4: a point that is not on the curve
    (PrintedKey.es256.replacing("IWI5a0", with: "IWI5a4"), "no point on P-256"),
    (PrintedKey.es256.replacing("f83O", with: ""), "32 bytes each"),
    (PrintedKey.edDSA.replacing("11qY", with: ""), "32 bytes"),
    (PrintedKey.edDSA.replacing("{", with: #"{"d":"AA","#), "private key"),
    // RFC 8725 §2.1: "-----BEGIN PUBLIC KEY-----…" for the secret
    (
      #"{"kty":"oct","k":"LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUZrd0V3WUhLb1pJemowQ0FRWUk"}"#,
      "public key for its secret"
    ),
    // RFC 8410 §10.1, a public key in DER
    (
      #"{"kty":"oct","k":"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"}"#,
      "public key for its secret"
    ),
  ])
  func `that is none is refused with the reason`(key: String, reason: String) throws {
    let written = try PrintedKey.key(key)
    let algorithm = try #require(written.usableAlgorithm)
    do throws(KeyRefusal) {
      _ = try VerificationKey(written, algorithm)
      Issue.record("\(key) is accepted")
    } catch {
      #expect(error.message.contains(reason), "\(error.message)")
    }
  }
}
