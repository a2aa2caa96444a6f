/// An IP address as a number of 128 bits; IPv4 is held in its IPv6-mapped form (RFC 4291 §2.5.5.2), so that one host has
/// one value.
public struct IPAddress: Hashable, Sendable {
  /// The address, its first bit the most significant one.
  public let value: UInt128

  /// - Parameter value: the address, its first bit the most significant one.
  public init(value: UInt128) { self.value = value }

  /// Whether it is an IPv4 address, however it was written.
  public var isIPv4: Bool { value &>> 32 == 0xffff }

  /// Reads an address as text: four decimal numbers without leading zeros (RFC 3986 §3.2.2), or any of the forms of
  /// RFC 4291 §2.2, without brackets, zone or port. Nil when it is anything else.
  public init?(_ text: UnsafeRawBufferPointer) {
    guard let base = text.baseAddress,
      let address = Self.read(base, ByteSpan(from: 0, to: text.count))
    else { return nil }
    self = address
  }

  /// As above, for the bytes that a span of the buffer at `base` means.
  static func read(_ base: UnsafeRawPointer, _ span: ByteSpan) -> IPAddress? {
    guard span.count <= longestText else { return nil }
    var hasColon = false
    for index in span.start..<span.end where base.byte(index) == 0x3a { hasColon = true }
    if hasColon { return readGroups(base, span.start, span.end).map { IPAddress(value: $0) } }
    return readOctets(base, span.start, span.end).map {
      IPAddress(value: 0xffff &<< 32 | UInt128($0))
    }
  }

  /// Bytes of the longest text that an address has: eight groups, the last two of them as IPv4.
  private static var longestText: Int { 45 }

  private static func readOctets(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> UInt32? {
    var address: UInt32 = 0
    var octets = 0
    var i = start
    while true {
      let first = i
      var octet: UInt32 = 0
      while i < end, base.byte(i) &- 0x30 < 10, i - first < 3 {
        octet = octet * 10 + UInt32(base.byte(i) &- 0x30)
        i += 1
      }
      guard i > first, octet < 256, i - first == 1 || base.byte(first) != 0x30 else { return nil }
      address = address &<< 8 | octet
      octets += 1
      if octets == 4 { return i == end ? address : nil }
      guard i < end, base.byte(i) == 0x2e else { return nil }
      i += 1
    }
  }

  /// RFC 4291 §2.2: groups of up to four hexadecimal digits, `::` once in place of one or more groups of zeros, and the
  /// last two groups as IPv4 if need be; nil for an IPv4 address alone.
  static func readGroups(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> UInt128? {
    var address: UInt128 = 0
    var groups = 0
    /// Groups before `::`.
    var gap: Int?
    var i = start
    if end - i >= 2, base.byte(i) == 0x3a, base.byte(i + 1) == 0x3a {
      gap = 0
      i += 2
    }
    while i < end {
      let first = i
      var group: UInt128 = 0
      while i < end, i - first < 4, let digit = hexadecimalDigit(base.byte(i)) {
        group = group &<< 4 | UInt128(digit)
        i += 1
      }
      guard i > first else { return nil }
      if i < end, base.byte(i) == 0x2e {
        guard groups <= 6, let octets = readOctets(base, first, end) else { return nil }
        address = address &<< 32 | UInt128(octets)
        groups += 2
        break
      }
      guard groups < 8 else { return nil }
      address = address &<< 16 | group
      groups += 1
      if i == end { break }
      guard base.byte(i) == 0x3a, i + 1 < end else { return nil }
      i += 1
      if base.byte(i) == 0x3a {
        guard gap == nil else { return nil }
        gap = groups
        i += 1
      }
    }
    guard let gap else { return groups == 8 ? address : nil }
    guard groups < 8 else { return nil }
    let behind = 16 * (groups - gap)
    // Shifts as wide as the number give 0.
    let tail = address & ~(UInt128.max << behind)
    return (address >> behind) << (16 * (8 - gap)) | tail
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
