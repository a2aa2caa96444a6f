internal import CSluice

/// `sluice.random/1`: bytes that nobody can guess; a reproducible sequence in tests.
public struct Random {
  unowned(unsafe) let link: HostLink

  /// `count` bytes from the kernel's generator.
  public func bytes(_ count: Int) throws -> [UInt8] {
    let (random, host) = try link.require("sluice.random/1", sluice_random_v1_t.self)
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      if let start = buffer.baseAddress {
        random.pointee.fill(host, start, UInt64(count))
        written = count
      }
    }
  }
}
