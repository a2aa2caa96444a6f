internal import CSluice
internal import Wire

/// Identifiers as the whole platform makes them: a prefix, and a UUIDv7 (RFC 9562 §5.7) in lower-case
/// Crockford base32, 26 characters that sort by time.
public struct ID {
  unowned(unsafe) let link: HostLink

  /// "msg_01jb…" for `make("msg")`.
  ///
  /// - Throws: `ExtensionUnavailable` without `sluice.clock/1` and `sluice.random/1`.
  public func make(_ prefix: String) throws -> String {
    let time = try Clock(link: link).now().unixMilliseconds
    let (random, host) = try link.require("sluice.random/1", sluice_random_v1_t.self)
    var bits: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &bits) { bytes in
      if let start = bytes.baseAddress {
        random.pointee.fill(
          host, start.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
      }
    }
    return Identifier(unixMilliseconds: UInt64(clamping: time), random: bits).text(prefix: prefix)
  }
}
