/// Tells a mistyped key from an unknown one by nothing but its text.
///
/// The keys that a control plane makes are `sk_` or `pk_`, 43 digits of base 62, and six more that are the first four bytes of the
/// SHA-256 of all before them, as a number. Keys of files may have any text; those of other shapes are not judged.
enum KeyChecksum {
  private static let prefixLength = 3
  private static let bodyLength = prefixLength + 43
  private static let length = bodyLength + 6

  /// Whether the credential has the shape of a key, and a checksum that is not its own. Costs one short SHA-256 for what
  /// has the shape, and next to nothing for the rest.
  static func isMistyped(_ credential: UnsafeRawBufferPointer) -> Bool {
    guard credential.count == length, credential[1] == UInt8(ascii: "k"),
      credential[2] == UInt8(ascii: "_"),
      credential[0] == UInt8(ascii: "s") || credential[0] == UInt8(ascii: "p")
    else { return false }
    var checksum: UInt64 = 0
    for index in prefixLength..<length {
      guard let value = value(of: credential[index]) else { return false }
      if index >= bodyLength { checksum = checksum * 62 + value }
    }
    let digest = Digest(of: UnsafeRawBufferPointer(rebasing: credential[..<bodyLength]))
    return checksum != digest.a.bigEndian >> 32
  }

  private static func value(of digit: UInt8) -> UInt64? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(digit - UInt8(ascii: "0"))
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt64(digit - UInt8(ascii: "A")) + 10
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt64(digit - UInt8(ascii: "a")) + 36
    default: nil
    }
  }
}
