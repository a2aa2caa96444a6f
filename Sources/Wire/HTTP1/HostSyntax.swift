/// The syntax of `uri-host [ ":" port ]`, RFC 9110 §7.2 and RFC 3986 §3.2.2.
public enum HostSyntax {
  /// Whether `bytes` is a host with an optional port.
  ///
  /// A registered name (no percent-encoding, no comma), an IPv4 address, or an IPv6 address in
  /// brackets; the port at most 65535. Empty is invalid, and so is user information.
  public static func isAuthority(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    return isAuthority(base, 0, bytes.count, readable: bytes.count)
  }

  /// As above for the bytes from `start` to `end` of a buffer with `readable` bytes.
  static func isAuthority(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, readable: Int
  ) -> Bool {
    guard start < end else { return false }
    var i = start
    if start &+ 16 <= readable {
      let lanes = Lanes.load(p, start)
      let plain = lanes.areAlphanumeric .| lanes.are(from: 0x2d, through: 0x2e)
      i = min(start &+ plain.firstUnset, end)
      if i == end { return true }
      // A colon and up to four digits, all among the sixteen bytes: no port of four digits is too high.
      if i > start, p.byte(i) == 0x3a, end &- i <= 5, end &- start <= 16 {
        let others = ~unsafeBitCast(lanes.are(from: 0x30, through: 0x39), to: UInt128.self)
        let after = others &>> (UInt128(truncatingIfNeeded: i &- start &+ 1) &* 8)
        if after.trailingZeroBitCount &>> 3 >= end &- i &- 1 { return true }
      }
    }
    if i == start, p.byte(i) == 0x5b {
      i &+= 1
      let first = i
      while i < end, isAddressByte(p.byte(i)) { i &+= 1 }
      guard i < end, p.byte(i) == 0x5d, IPAddress.readGroups(p, first, i) != nil else {
        return false
      }
      i &+= 1
    } else {
      while i < end, CharacterClass.contains(p.byte(i), CharacterClass.host) { i &+= 1 }
      guard i > start else { return false }
    }
    if i == end { return true }
    guard p.byte(i) == 0x3a, end &- i <= 6 else { return false }
    i &+= 1
    var port = 0
    while i < end {
      let digit = p.byte(i) &- 0x30
      guard digit < 10 else { return false }
      port = port &* 10 &+ Int(digit)
      i &+= 1
    }
    return port <= 65_535
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x3a, 0x41...0x46, 0x61...0x66, 0x2e: true
    default: false
    }
  }
}
