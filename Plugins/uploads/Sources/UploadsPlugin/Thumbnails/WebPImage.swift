/// An image in WebP (RFC 9649), as a list of chunks.
struct WebPImage {
  private var chunks: [(name: String, data: ArraySlice<UInt8>)] = []

  /// nil when the bytes are no such image.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 12, bytes.starts(with: "RIFF".utf8),
      bytes[8..<12].elementsEqual("WEBP".utf8)
    else { return nil }
    var offset = 12
    while offset + 8 <= bytes.count {
      let size = (0..<4).reduce(0) { $0 | Int(bytes[offset + 4 + $1]) << (8 * $1) }
      let start = offset + 8
      guard size <= bytes.count - start else { return nil }
      chunks.append(
        (String(decoding: bytes[offset..<offset + 4], as: UTF8.self), bytes[start..<start + size]))
      offset = start + size + size % 2
    }
    guard !chunks.isEmpty else { return nil }
  }

  /// The same without profile, Exif and XMP: what is drawn, and nothing that is told of it. Its colours must be sRGB's.
  var bare: [UInt8] {
    var body = Array("WEBP".utf8)
    for (name, data) in chunks where ["VP8X", "VP8 ", "VP8L", "ALPH"].contains(name) {
      body += Array(name.utf8) + WebPImage.little(data.count)
      if name == "VP8X", let flags = data.first {
        // §2.7: those of profile, Exif and XMP.
        body.append(flags & ~0x2C)
        body += data.dropFirst()
      } else {
        body += data
      }
      if data.count % 2 == 1 { body.append(0) }
    }
    return Array("RIFF".utf8) + WebPImage.little(body.count) + body
  }

  private static func little(_ number: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}
