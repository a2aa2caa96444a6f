internal import CSSL
internal import PluginKit

/// A key of somebody who issues tokens, for verifying with its one algorithm.
///
/// Confined to the loop of the shard that has it, or to the control thread while settings are checked.
final class VerificationKey {
  private enum Material {
    case secret([UInt8])
    case publicKey(OpaquePointer)
  }

  let algorithm: SignatureAlgorithm
  /// `kid`
  let id: String?
  private let material: Material

  /// - Throws: what is wrong with the key, for whoever configured it; never any part of the key.
  init(_ key: JSONWebKey, _ algorithm: SignatureAlgorithm) throws(KeyRefusal) {
    defer { ERR_clear_error() }
    self.algorithm = algorithm
    id = key.id
    guard key.privatePart == nil else {
      throw KeyRefusal("is a private key: give the public one, and make a new pair")
    }
    switch algorithm {
    case .hs256: material = .secret(try Self.secret(key))
    case .es256: material = .publicKey(try Self.point(key))
    case .edDSA: material = .publicKey(try Self.ed25519(key))
    case .rs256: material = .publicKey(try Self.rsa(key))
    }
  }

  deinit {
    if case .publicKey(let key) = material { EVP_PKEY_free(key) }
  }

  /// Whether `signature` is of this key for `input`, by the key's own algorithm.
  func verifies(_ signature: [UInt8], of input: [UInt8]) -> Bool {
    // What OpenSSL leaves of a wrong signature would be taken for trouble with a TLS session of this thread.
    defer { ERR_clear_error() }
    switch material {
    case .secret(let secret): return HS256.verifies(signature, of: input, with: secret)
    case .publicKey(let key):
      var form = signature
      if algorithm == .es256 {
        guard let der = ECDSASignature(raw: signature)?.der else { return false }
        form = der
      }
      let context = EVP_MD_CTX_new()
      defer { EVP_MD_CTX_free(context) }
      // Ed25519 has its digest within (RFC 8032 §5.1).
      let digest = algorithm == .edDSA ? nil : EVP_sha256()
      return EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1
        && EVP_DigestVerify(context, form, form.count, input, input.count) == 1
    }
  }

  // MARK: Reading

  /// RFC 7518 §6.4
  private static func secret(_ key: JSONWebKey) throws(KeyRefusal) -> [UInt8] {
    let secret = try bytes(key.secret, "k")
    // RFC 7518 §3.2: no shorter than the digest.
    guard (32...512).contains(secret.count) else {
      throw KeyRefusal("needs a secret \"k\" of 32 to 512 bytes")
    }
    guard !isPublicKey(secret) else {
      throw KeyRefusal("has a public key for its secret \"k\": anybody could sign with it")
    }
    return secret
  }

  /// Whether these bytes are a key that others know, so that it can be no secret (RFC 8725 §2.1).
  private static func isPublicKey(_ bytes: [UInt8]) -> Bool {
    for mark in ["-----BEGIN ", "ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-"]
    where bytes.starts(with: mark.utf8) { return true }
    return bytes.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      guard let key = d2i_PUBKEY(nil, &start, bytes.count) else { return false }
      EVP_PKEY_free(key)
      return true
    }
  }

  /// RFC 7518 §6.2.1: a point on P-256, each coordinate in full length.
  private static func point(_ key: JSONWebKey) throws(KeyRefusal) -> OpaquePointer {
    let (x, y) = (try bytes(key.x, "x"), try bytes(key.y, "y"))
    guard x.count == 32, y.count == 32 else {
      throw KeyRefusal("needs \"x\" and \"y\" of 32 bytes each")
    }
    // Uncompressed (SEC 1 §2.3.3).
    let point = [4] + x + y
    guard let made = cssl_p256_public_key(point, point.count) else {
      throw KeyRefusal("is no point on P-256")
    }
    return made
  }

  /// RFC 8037 §2
  private static func ed25519(_ key: JSONWebKey) throws(KeyRefusal) -> OpaquePointer {
    let x = try bytes(key.x, "x")
    guard x.count == 32,
      let made = EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, x, x.count)
    else { throw KeyRefusal("needs \"x\" of 32 bytes") }
    return made
  }

  /// RFC 7518 §6.3.1; §3.3 asks for 2,048 bits, and more than 8,192 would only cost time.
  private static func rsa(_ key: JSONWebKey) throws(KeyRefusal) -> OpaquePointer {
    let (modulus, exponent) = (try bytes(key.modulus, "n"), try bytes(key.exponent, "e"))
    guard modulus.count <= 1_024, exponent.count <= 8 else {
      throw KeyRefusal("has more than 8,192 bits, or an exponent \"e\" of more than 64")
    }
    let value = exponent.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard value >= 65_537, value % 2 == 1 else {
      throw KeyRefusal("needs an odd exponent \"e\" of 65,537 or more")
    }
    let made = cssl_rsa_public_key(
      modulus, Int32(modulus.count), exponent, Int32(exponent.count))
    guard let made else { throw KeyRefusal("is no RSA key") }
    guard EVP_PKEY_get_bits(made) >= 2_048, modulus.last.map({ $0 % 2 == 1 }) == true else {
      EVP_PKEY_free(made)
      throw KeyRefusal("needs an odd modulus \"n\" of 2,048 bits or more")
    }
    return made
  }

  private static func bytes(_ text: String?, _ member: String) throws(KeyRefusal) -> [UInt8] {
    guard let text, !text.isEmpty, let bytes = Base64.url.decode(text.utf8) else {
      throw KeyRefusal("needs \"\(member)\" in base64url without padding")
    }
    return bytes
  }
}

/// What is wrong with a key, as the rest of a sentence that begins with "the key".
struct KeyRefusal: Error, Equatable {
  let message: String

  init(_ message: String) {
    self.message = message
  }
}
