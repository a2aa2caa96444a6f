/// A UUIDv7 (RFC 9562 §5.7) that is shown as 26 characters of lower-case Crockford base32, which
/// sort as the ids do: by time.
public struct Identifier: Hashable, Comparable, Sendable {
  /// The first eight bytes, big-endian.
  public let high: UInt64
  /// The last eight bytes, big-endian.
  public let low: UInt64

  /// Characters of the text form.
  public static let characters = 26

  /// A new id.
  ///
  /// - Parameters:
  ///   - unixMilliseconds: The time, of which 48 bits are kept.
  ///   - random: 74 bits are taken: 12 of the first, 62 of the second. From a secure source.
  public init(unixMilliseconds: UInt64, random: (UInt64, UInt64)) {
    high = unixMilliseconds << 16 | 0x7000 | random.0 & 0xfff
    low = 0x8000_0000_0000_0000 | random.1 & 0x3fff_ffff_ffff_ffff
  }

  /// The id that `text`, exactly 26 characters, stands for; nil for anything else, upper case and
  /// bits beyond 128 included, and for what is no UUIDv7.
  public init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == Identifier.characters else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (index, byte) in text.enumerated() {
      guard let value = Identifier.value(byte), index > 0 || value < 8 else { return nil }
      high = high << 5 | low >> 59
      low = low << 5 | UInt64(value)
    }
    guard high >> 12 & 15 == 7, low >> 62 == 2 else { return nil }
    self.high = high
    self.low = low
  }

  /// The time in it, milliseconds since 1970.
  public var unixMilliseconds: UInt64 { high >> 16 }

  /// Appends the 26 characters.
  public func write(to output: inout ByteWriter) {
    guard output.reserve(Identifier.characters) else { return }
    for index in 0..<Identifier.characters {
      let shift = UInt64(125 - 5 * index)
      let bits =
        shift >= 64 ? high >> (shift - 64) : low >> shift | (shift > 0 ? high << (64 - shift) : 0)
      output.append(Identifier.character(UInt8(truncatingIfNeeded: bits) & 31))
    }
  }

  /// The 26 characters, after `prefix` and `_` if there is a prefix.
  public func text(prefix: String = "") -> String {
    var area = ByteWriter(growingFrom: 64)
    defer { area.deallocate() }
    if !prefix.isEmpty {
      area.append(text: prefix)
      area.append("_")
    }
    write(to: &area)
    return area.text
  }

  /// The id in `text` if it is `prefix`, `_` and an id, else nil.
  public static func parse(_ text: UnsafeRawBufferPointer, prefix: StaticString) -> Identifier? {
    let length = prefix.utf8CodeUnitCount
    guard text.count == length + 1 + characters, let base = text.baseAddress,
      equalBytes(base, UnsafeRawPointer(prefix.utf8Start), length), base.byte(length) == 0x5f
    else { return nil }
    return Identifier(UnsafeRawBufferPointer(rebasing: text[(length + 1)...]))
  }

  public static func < (a: Identifier, b: Identifier) -> Bool {
    (a.high, a.low) < (b.high, b.low)
  }

  private static func character(_ value: UInt8) -> UInt8 {
    let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
    return alphabet.utf8Start[Int(value)]
  }

  private static func value(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x30...0x39: character - 0x30
    case 0x61...0x68: character - 0x61 + 10
    case 0x6a...0x6b: character - 0x6a + 18
    case 0x6d...0x6e: character - 0x6d + 20
    case 0x70...0x74: character - 0x70 + 22
    case 0x76...0x7a: character - 0x76 + 27
    default: nil
    }
  }
}
