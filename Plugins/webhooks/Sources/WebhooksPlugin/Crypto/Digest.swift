internal import CSSL

/// SHA-256 and what is made of it, by OpenSSL.
enum Digest {
  static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
      _ = HMAC(
        EVP_sha256(), key, Int32(key.count), bytes, bytes.count, digest.baseAddress, nil)
      count = 32
    }
  }

  /// Whether two values are equal, in a time that tells nothing of where they differ.
  static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
  }
}
