internal import CSSL
internal import PluginCrypto
internal import PluginKit

/// A key pair on the curve P-256, and the signatures it makes: ES256 (RFC 7518 §3.4).
///
/// Confined to the loop of the shard that has it.
final class SigningKey {
  static let algorithm = "ES256"

  private let pair: OpaquePointer
  /// The public point, 32 bytes each.
  let x: [UInt8]
  let y: [UInt8]
  /// The RFC 7638 thumbprint of the public key, in base64url.
  let id: String

  private init(owning pair: OpaquePointer) throws(SigningKeyError) {
    self.pair = pair
    var point = [UInt8](repeating: 0, count: 65)
    var count = 0
    let isPoint =
      EVP_PKEY_get_octet_string_param(
        pair, OSSL_PKEY_PARAM_PUB_KEY, &point, point.count, &count) == 1
    // An uncompressed point (SEC 1 §2.3.3): 4, x, y.
    guard isPoint, count == 65, point[0] == 4 else {
      EVP_PKEY_free(pair)
      throw SigningKeyError("the public point cannot be read")
    }
    x = Array(point[1...32])
    y = Array(point[33...64])
    let (x, y) = (Base64.url.encode(x), Base64.url.encode(y))
    let members = #"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#
    id = Base64.url.encode(Digest.sha256(Array(members.utf8)))
  }

  deinit { EVP_PKEY_free(pair) }

  /// A new pair.
  static func generate() throws(SigningKeyError) -> SigningKey {
    let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
    defer { EVP_PKEY_CTX_free(context) }
    var pair: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
      EVP_PKEY_generate(context, &pair) == 1, let pair
    else { throw SigningKeyError("a key pair cannot be made") }
    return try SigningKey(owning: pair)
  }

  /// The pair that `serialized` made.
  convenience init(serialized bytes: [UInt8]) throws(SigningKeyError) {
    let pair = bytes.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      return d2i_AutoPrivateKey(nil, &start, bytes.count)
    }
    guard let pair else { throw SigningKeyError("not a private key in DER") }
    guard EVP_PKEY_is_a(pair, "EC") == 1, EVP_PKEY_get_bits(pair) == 256 else {
      EVP_PKEY_free(pair)
      throw SigningKeyError("not a key on P-256")
    }
    try self.init(owning: pair)
  }

  /// The private key in DER (RFC 5915).
  func serialized() throws(SigningKeyError) -> [UInt8] {
    var start: UnsafeMutablePointer<UInt8>?
    let count = i2d_PrivateKey(pair, &start)
    guard count > 0, let start else { throw SigningKeyError("the key cannot be serialized") }
    defer { CRYPTO_clear_free(start, Int(count), #file, #line) }
    return Array(UnsafeBufferPointer(start: start, count: Int(count)))
  }

  /// The 64 bytes of a signature: r, then s.
  func sign(_ input: [UInt8]) throws(SigningKeyError) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var der = [UInt8](repeating: 0, count: 80)
    var count = der.count
    guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, pair) == 1,
      EVP_DigestSign(context, &der, &count, input, input.count) == 1,
      let signature = ECDSASignature(der: der[..<count])
    else { throw SigningKeyError("the signature cannot be made") }
    return signature.raw
  }

  /// Whether `signature`, r and s in 64 bytes, is of this key for `input`.
  func verifies(_ signature: [UInt8], of input: [UInt8]) -> Bool {
    guard let der = ECDSASignature(raw: signature)?.der else { return false }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, pair) == 1
      && EVP_DigestVerify(context, der, der.count, input, input.count) == 1
  }
}

/// OpenSSL did not do what it was asked.
struct SigningKeyError: Error, CustomStringConvertible {
  let description: String

  init(_ what: String) {
    description = "signing key: \(what)"
  }
}
