import Testing

@testable import UploadsPlugin

@Suite struct `The size of an image` {
  private func size(_ bytes: [UInt8], _ type: String) -> ImageSize? {
    MediaType(type).flatMap { type in
      ImageSize.read(type) { count, offset in Array(bytes.dropFirst(Int(offset)).prefix(count)) }
    }
  }

  private let pngHead = [UInt8](repeating: 0, count: 12) + Array("IHDR".utf8)

  /// The head of a GIF's picture; all less than 256.
  private func picture(_ left: UInt8, _ top: UInt8, _ width: UInt8, _ height: UInt8) -> [UInt8] {
    [0x2C, left, 0, top, 0, width, 0, height, 0, 0]
  }

  @Test func `is read from the head`() {
    let png = pngHead + [0, 0, 3, 0x20, 0, 0, 2, 0x58]
    #expect(size(png, "image/png").map { [$0.width, $0.height] } == [800, 600])
    let gif = Array("GIF89a".utf8) + [0x20, 3, 0x58, 2, 0, 0, 0] + picture(0, 0, 1, 1)
    #expect(size(gif, "image/gif").map { [$0.width, $0.height] } == [800, 600])
    let webP = Array("RIFF....WEBP".utf8)
    let filling = [UInt8](repeating: 0, count: 8)
    let lossy =
      webP + Array("VP8 ....".utf8) + [0, 0, 0, 0x9D, 1, 0x2A, 0x20, 0x43, 0x58, 2] + filling
    #expect(size(lossy, "image/webp").map { [$0.width, $0.height] } == [800, 600])
    let lossless = webP + Array("VP8L....".utf8) + [0x2F, 0x1F, 0xC3, 0x95, 0] + filling
    #expect(size(lossless, "image/webp").map { [$0.width, $0.height] } == [800, 600])
    let extended = webP + Array("VP8X....".utf8) + [0, 0, 0, 0, 0x1F, 3, 0, 0x57, 2, 0] + filling
    #expect(size(extended, "image/webp").map { [$0.width, $0.height] } == [800, 600])
  }

  @Test func `is found behind a photo's metadata`() {
    let metadata: [UInt8] = [0xFF, 0xE1, 0xFF, 0xFF] + [UInt8](repeating: 7, count: 0xFFFD)
    let frame: [UInt8] = [0xFF, 0xFF, 0xC2, 0, 17, 8, 2, 0x58, 3, 0x20, 3, 1, 1]
    let jpeg = [0xFF, 0xD8] + metadata + metadata + frame
    #expect(size(jpeg, "image/jpeg").map { [$0.width, $0.height] } == [800, 600])
  }

  @Test func `is found wherever a decoder finds it`() {
    let start: [UInt8] = [0xFF, 0xD8]
    let frame: [UInt8] = [0xFF, 0xC0, 0, 17, 8, 0xEA, 0x60, 0xEA, 0x60, 3, 1, 1]
    let comments = (0..<5_000).flatMap { _ in [0xFF, 0xFE, 0, 2] as [UInt8] }
    let garbage: [UInt8] = [7, 0xFF, 0, 8]
    for between in [comments, garbage, comments + garbage, [0xFF, 0xFE, 0, 0], [0xFF, 0x01]] {
      #expect(size(start + between + frame, "image/jpeg")?.pixels == 3_600_000_000)
    }
    // Behind what is read, nobody knows.
    let far = [UInt8](repeating: 7, count: Int(HeadReader.limit))
    #expect(size(start + far + frame, "image/jpeg") == nil)
  }

  @Test func `of a GIF is that of its first picture where that is larger`() {
    let colours = [UInt8](repeating: 0x2C, count: 12)
    let screen = Array("GIF89a".utf8) + [9, 0, 9, 0, 0x81, 0, 0] + colours
    let note: [UInt8] = [0x21, 0xFE, 2, 0x2C, 0x2C, 1, 0x3B, 0]
    #expect(
      size(screen + note + picture(0, 0, 5, 5), "image/gif").map { [$0.width, $0.height] } == [
        9, 9,
      ])
    #expect(
      size(screen + note + picture(3, 0, 200, 5), "image/gif").map { [$0.width, $0.height] }
        == [203, 9])
    #expect(size(screen + note, "image/gif") == nil)
    #expect(size(screen + [0x3B], "image/gif") == nil)
  }

  // A head of a stranger's making; none of these may trap.
  @Test func `is none where the head makes no sense`() {
    #expect(size([], "image/png") == nil)
    #expect(size([UInt8](repeating: 0, count: 64), "image/png") == nil)
    #expect(size(Array("RIFF".utf8), "image/webp") == nil)
    #expect(size([0xFF, 0xD8, 0xFF, 0xE1], "image/jpeg") == nil)
    #expect(size([0xFF, 0xD8, 0xFF, 0xDA] + [UInt8](repeating: 0, count: 32), "image/jpeg") == nil)
    #expect(size([0xFF, 0xD8] + [UInt8](repeating: 0xFF, count: 2_000), "image/jpeg") == nil)
    #expect(size([0xFF, 0xD8] + [UInt8](repeating: 0, count: 64), "image/jpeg") == nil)
    #expect(size([1, 2, 3], "text/plain") == nil)
    #expect(size([UInt8](repeating: 9, count: 64), "image/png") == nil)
    #expect(size(Array("GIF89a".utf8) + [1, 0], "image/gif") == nil)
    let huge = pngHead + [UInt8](repeating: 0xFF, count: 8)
    #expect(size(huge, "image/png")?.pixels == .max)
  }
}

@Suite struct `A thumbnail's file` {
  @Test func `loses what is told of the image`() throws {
    func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
      Array(name.utf8) + [UInt8(data.count), 0, 0, 0] + data + (data.count % 2 == 1 ? [0] : [])
    }
    let drawn = chunk("VP8 ", [1, 2, 3])
    let flags: [UInt8] = [0x3C, 0, 0, 0, 9, 0, 0, 9, 0, 0]
    let all =
      Array("RIFF....WEBP".utf8) + chunk("VP8X", flags) + chunk("ICCP", [5]) + drawn
      + chunk("EXIF", [6, 6]) + chunk("XMP ", [7])
    let bare = try #require(WebPImage(all)).bare
    let body = Array("WEBP".utf8) + chunk("VP8X", [0x10] + flags.dropFirst()) + drawn
    #expect(bare == Array("RIFF".utf8) + [UInt8(body.count), 0, 0, 0] + body)
    #expect(WebPImage(Array("RIFF....WAVE".utf8)) == nil)
    #expect(WebPImage(Array(all.dropLast(2))) == nil)
  }
}
