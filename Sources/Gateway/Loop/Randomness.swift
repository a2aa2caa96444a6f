internal import CSSL

/// Bytes that nobody can guess.
enum Randomness {
  /// One word of them.
  static func word() -> UInt64 {
    var word: UInt64 = 0
    withUnsafeMutableBytes(of: &word) { bytes in
      // OpenSSL's generator is seeded from the kernel and does not fail once it has started.
      _ = RAND_bytes(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), Int32(bytes.count))
    }
    return word
  }
}
