/// Identifiers as the whole platform makes them: a prefix, and a UUIDv7 (RFC 9562 §5.7) in lower-case
/// Crockford base32, 26 characters that sort by time.
public struct ID {
  unowned(unsafe) let link: HostLink

  /// "msg_01jb…" for `make("msg")`.
  ///
  /// - Throws: `ExtensionUnavailable` without `sluice.clock/1` and `sluice.random/1`.
  public func make(_ prefix: String) throws -> String {
    let time = try Clock(link: link).now().unixMilliseconds
    let random = try Random(link: link).bytes(10)
    return prefix + "_" + ID.text(unixMilliseconds: time, random: random)
  }

  /// The 26 characters of a UUIDv7 with this time and these ten random bytes.
  static func text(unixMilliseconds: Int64, random: [UInt8]) -> String {
    var high = UInt64(bitPattern: unixMilliseconds) << 16 | 0x7000
    high |= UInt64(random[0] & 0x0F) << 8 | UInt64(random[1])
    var low = random[2...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    // 26 digits of five bits are 130: the first has three.
    var characters: [UInt8] = []
    for index in 0..<26 {
      let shift = 125 - index * 5
      let digit =
        shift >= 64
        ? high >> (shift - 64)
        : shift > 59 ? high << (64 - shift) | low >> shift : low >> shift
      characters.append(alphabet[Int(digit & 31)])
    }
    return String(decoding: characters, as: UTF8.self)
  }
}
