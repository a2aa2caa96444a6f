internal import CSSL

/// SHA-256 (FIPS 180-4) and what is made of it, by OpenSSL. Any thread.
public enum Digest {
  /// The 32 bytes of the bytes' digest.
  public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
      _ = SHA256(bytes, bytes.count, digest.baseAddress)
      count = 32
    }
  }

  /// The 32 bytes of the digest of a text in UTF-8.
  public static func sha256(_ text: String) -> [UInt8] { sha256(Array(text.utf8)) }

  /// HMAC (RFC 2104) with SHA-256, 32 bytes.
  public static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
      _ = HMAC(
        EVP_sha256(), key, Int32(key.count), bytes, bytes.count, digest.baseAddress, nil)
      count = 32
    }
  }

  /// Whether two values are equal, in a time that tells nothing of where they differ. Of different lengths it is told at once.
  public static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
  }
}
