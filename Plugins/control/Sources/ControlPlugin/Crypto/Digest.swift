internal import CSSL

/// SHA-256, by which what is only compared is kept.
enum Digest {
  /// The 32 bytes of a text's digest.
  static func sha256(_ text: String) -> [UInt8] { sha256(Array(text.utf8)) }

  /// The 32 bytes of a digest.
  static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
      _ = SHA256(bytes, bytes.count, digest.baseAddress)
      count = 32
    }
  }
}
