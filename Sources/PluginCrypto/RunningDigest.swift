internal import CSSL

/// SHA-256 of bytes that come piece by piece. On one thread at a time.
public final class RunningDigest {
  private let context = EVP_MD_CTX_new()

  /// Of nothing yet.
  public init() { EVP_DigestInit_ex(context, EVP_sha256(), nil) }

  deinit { EVP_MD_CTX_free(context) }

  /// Puts bytes behind those that came before.
  public func add(_ bytes: [UInt8]) {
    _ = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  /// The 32 bytes of the digest of all that was added; nothing may be added after it.
  public func finish() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
      EVP_DigestFinal_ex(context, digest.baseAddress, nil)
      count = 32
    }
  }
}
