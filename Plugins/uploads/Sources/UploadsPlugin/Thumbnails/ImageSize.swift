/// How many pixels an image has, as its head says: asked before anything is decoded, because a few kilobytes can unfold to gigabytes.
struct ImageSize: Equatable, Sendable {
  /// Images whose head is read here. One of these whose size is not found is nothing that a decoder should see.
  static let types: Set<String> = ["image/jpeg", "image/png", "image/gif", "image/webp"]

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
    case "image/png": png(try read(16, 8))
    case "image/gif": try gif(read)
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

  /// The first chunk, which says how large the image is (PNG §11.2.1).
  private static func png(_ chunk: [UInt8]) -> ImageSize? {
    guard chunk.count == 16, chunk[4..<8].elementsEqual("IHDR".utf8) else { return nil }
    func number(_ at: Int) -> Int { chunk[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    return ImageSize(number(8), number(12))
  }

  /// The screen (GIF89a §18), or the first picture (§20) where that is larger, since decoders have it grow then.
  private static func gif(_ read: HeadReader.Source) rethrows -> ImageSize? {
    var head = HeadReader(from: 6)
    guard let width = try head.little16(read), let height = try head.little16(read),
      let flags = try head.byte(read)
    else { return nil }
    head.skip(2 + (flags & 0x80 != 0 ? 6 << Int(flags & 7) : 0))
    while let block = try head.byte(read) {
      switch block {
      case 0x2C:
        guard let left = try head.little16(read), let top = try head.little16(read),
          let pictureWidth = try head.little16(read), let pictureHeight = try head.little16(read)
        else { return nil }
        return ImageSize(max(width, left + pictureWidth), max(height, top + pictureHeight))
      case 0x21:
        // An extension: its label, then blocks with their lengths until an empty one.
        head.skip(1)
        while let length = try head.byte(read), length > 0 { head.skip(Int(length)) }
      default: return nil
      }
    }
    return nil
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

  /// Goes from segment to segment until one that says how large the frame is (ITU-T T.81 §B.2.2), past whatever stands between them, as decoders do.
  private static func jpeg(_ read: HeadReader.Source) rethrows -> ImageSize? {
    var head = HeadReader(from: 2)
    while let marker = try marker(&head, read) {
      switch marker {
      case 0x01, 0xD0...0xD8: break  // without a length
      case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
        head.skip(3)
        guard let height = try head.big16(read), let width = try head.big16(read) else {
          return nil
        }
        return ImageSize(width, height)
      case 0xD9, 0xDA: return nil
      default:
        guard let length = try head.big16(read) else { return nil }
        head.skip(max(length - 2, 0))
      }
    }
    return nil
  }

  /// The next marker: what follows upon 0xFF and is neither filling nor a 0xFF of data.
  private static func marker(
    _ head: inout HeadReader, _ read: HeadReader.Source
  ) rethrows -> UInt8? {
    while true {
      while let byte = try head.byte(read), byte != 0xFF {}
      var byte = try head.byte(read)
      while byte == 0xFF { byte = try head.byte(read) }
      if byte != 0 { return byte }
    }
  }
}
