/// How many pixels an image has, as its head says: asked before anything is decoded, because a few kilobytes can unfold to gigabytes.
struct ImageSize: Equatable, Sendable {
  let width: Int
  let height: Int

  /// As many as a number holds, of more.
  var pixels: Int {
    let (pixels, isOver) = width.multipliedReportingOverflow(by: height)
    return isOver ? .max : pixels
  }

  /// - Parameters:
  ///   - type: what the bytes are.
  ///   - read: up to so many bytes of the file from an offset on; fewer at its end. Worker threads only.
  /// - Returns: nil for what is no image, for a type whose head is not read here, and for a head that makes no sense.
  static func read(
    _ type: MediaType, _ read: (_ count: Int, _ offset: Int64) throws -> [UInt8]
  ) rethrows -> ImageSize? {
    switch type.text {
    case "image/png": big32(try read(8, 16), 0, 4)
    case "image/gif": little16(try read(4, 6))
    case "image/webp": webP(try read(32, 0))
    case "image/jpeg": try jpeg(read)
    default: nil
    }
  }

  private init?(_ width: Int, _ height: Int) {
    guard width > 0, height > 0 else { return nil }
    self.width = width
    self.height = height
  }

  private static func big32(_ bytes: [UInt8], _ width: Int, _ height: Int) -> ImageSize? {
    guard bytes.count >= 8 else { return nil }
    func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    return ImageSize(number(width), number(height))
  }

  private static func little16(_ bytes: [UInt8]) -> ImageSize? {
    guard bytes.count >= 4 else { return nil }
    return ImageSize(Int(bytes[0]) | Int(bytes[1]) << 8, Int(bytes[2]) | Int(bytes[3]) << 8)
  }

  /// RFC 9649 §2.5–2.7.
  static func webP(_ head: [UInt8]) -> ImageSize? {
    guard head.count >= 30 else { return nil }
    func little(_ at: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(head[at + $1]) << (8 * $1) }
    }
    switch String(decoding: head[12..<16], as: UTF8.self) {
    case "VP8X": return ImageSize(little(24, 3) + 1, little(27, 3) + 1)
    case "VP8 ": return ImageSize(little(26, 2) & 0x3FFF, little(28, 2) & 0x3FFF)
    case "VP8L":
      let bits = little(21, 4)
      return ImageSize(bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
    default: return nil
    }
  }

  /// Goes from segment to segment until one that says how large the frame is (ITU-T T.81 §B.2.2).
  private static func jpeg(
    _ read: (_ count: Int, _ offset: Int64) throws -> [UInt8]
  ) rethrows -> ImageSize? {
    var offset: Int64 = 2
    // Metadata is a few segments of 64 KiB; what has hundreds of them is no image that anybody has made.
    for _ in 0..<512 {
      let head = try read(9, offset)
      guard head.count == 9, head[0] == 0xFF else { return nil }
      switch head[1] {
      case 0xFF: offset += 1  // filling
      case 0x01, 0xD0...0xD8: offset += 2  // without a length
      case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        return ImageSize(Int(head[7]) << 8 | Int(head[8]), Int(head[5]) << 8 | Int(head[6]))
      case 0xD9, 0xDA: return nil
      default: offset += 2 + Int64(head[2]) << 8 + Int64(head[3])
      }
    }
    return nil
  }
}
