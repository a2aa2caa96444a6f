internal import CSSL
internal import Glibc
internal import Store
internal import Wire

/// Bytes that nobody can guess, from OpenSSL's generator, which is seeded by the kernel. [any-thread]
enum Entropy {
  static func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    var rest = bytes
    while rest.count > 0 {
      let count = min(rest.count, 1 << 20)
      _ = RAND_bytes(rest.baseAddress!.assumingMemoryBound(to: UInt8.self), Int32(count))
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
    }
  }
}

extension Entropy {
  /// A new id: the prefix and a UUIDv7. [any-thread]
  static func identifier(_ prefix: String) -> String {
    var random: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &random) { fill($0) }
    return Identifier(unixMilliseconds: UInt64(SystemClock.unixMilliseconds()), random: random)
      .text(prefix: prefix)
  }
}

func pause(microseconds: UInt32) { usleep(microseconds) }

extension Host {
  /// A new id: the prefix and a UUIDv7. [any-thread]
  func identifier(_ prefix: String) -> String { Entropy.identifier(prefix) }
}
