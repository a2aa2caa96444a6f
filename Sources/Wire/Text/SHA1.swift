/// SHA-1 (RFC 3174), for the one place that still asks for it: the WebSocket handshake, where it is
/// no security measure. Messages up to 119 bytes, which is two blocks; no allocation.
enum SHA1 {
  typealias Digest = InlineArray<20, UInt8>

  /// The digest of `head` followed by `tail`; nil if they are longer than 119 bytes together.
  static func digest(_ head: UnsafeRawBufferPointer, _ tail: StaticString) -> Digest? {
    let length = head.count + tail.utf8CodeUnitCount
    guard length <= 119 else { return nil }
    var message = InlineArray<128, UInt8>(repeating: 0)
    for index in 0..<head.count { message[index] = head[index] }
    for index in 0..<tail.utf8CodeUnitCount {
      message[head.count + index] = tail.utf8Start[index]
    }
    message[length] = 0x80
    let size = length < 56 ? 64 : 128
    message[size - 2] = UInt8(truncatingIfNeeded: (length * 8) >> 8)
    message[size - 1] = UInt8(truncatingIfNeeded: length * 8)

    var hash: InlineArray<5, UInt32> = [
      0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0,
    ]
    for block in stride(from: 0, to: size, by: 64) { mix(message, at: block, into: &hash) }

    var digest = Digest(repeating: 0)
    for index in 0..<20 {
      digest[index] = UInt8(truncatingIfNeeded: hash[index / 4] >> UInt32(24 - index % 4 * 8))
    }
    return digest
  }

  private static func mix(
    _ message: borrowing InlineArray<128, UInt8>, at block: Int,
    into hash: inout InlineArray<5, UInt32>
  ) {
    var words = InlineArray<80, UInt32>(repeating: 0)
    for index in 0..<16 {
      let at = block + index * 4
      words[index] =
        UInt32(message[at]) << 24 | UInt32(message[at + 1]) << 16
        | UInt32(message[at + 2]) << 8 | UInt32(message[at + 3])
    }
    for index in 16..<80 {
      words[index] = rotate(
        words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1)
    }
    var (a, b, c, d, e) = (hash[0], hash[1], hash[2], hash[3], hash[4])
    for index in 0..<80 {
      let (choice, constant): (UInt32, UInt32) =
        switch index / 20 {
        case 0: (b & c | ~b & d, 0x5a82_7999)
        case 1: (b ^ c ^ d, 0x6ed9_eba1)
        case 2: (b & c | b & d | c & d, 0x8f1b_bcdc)
        default: (b ^ c ^ d, 0xca62_c1d6)
        }
      let next = rotate(a, 5) &+ choice &+ e &+ constant &+ words[index]
      (e, d, c, b, a) = (d, c, rotate(b, 30), a, next)
    }
    hash[0] &+= a
    hash[1] &+= b
    hash[2] &+= c
    hash[3] &+= d
    hash[4] &+= e
  }

  @inline(__always)
  private static func rotate(_ value: UInt32, _ by: UInt32) -> UInt32 {
    value &<< by | value &>> (32 &- by)
  }
}
