/// What a file is, by its first bytes. Names and headers are a client's words; the bytes are what others' programs will open.
enum Sniffer {
  /// How many of its first bytes tell what a file is; of a shorter one all.
  static let window = 4_096

  /// - Parameter head: the first ``window`` bytes, or all.
  /// - Returns: ``MediaType/unknown`` for what has no mark and is no text.
  static func type(of head: [UInt8]) -> MediaType {
    if let mark = marks.first(where: { $0.fits(head) }) { return mark.type }
    if let type = container(head) { return type }
    guard let text = Text(head) else { return .unknown }
    return text.markup ?? .plainText
  }

  /// Whether what a client calls a file can be said of these bytes: it is what they are, or a kind of it that looks the same from its beginning.
  static func agrees(_ declared: MediaType, with sniffed: MediaType) -> Bool {
    if declared == sniffed { return true }
    return switch sniffed {
    case .zip: zipped.contains { declared.text.hasPrefix($0) || declared.text.hasSuffix("+zip") }
    case .plainText:
      // What a browser runs is that by its bytes, or it is not called so.
      (declared.text.hasPrefix("text/") && declared != .html && declared.text != "text/javascript")
        || declared.text == "application/json" || declared.text.hasSuffix("+json")
    default: kin[sniffed.text]?.contains(declared.text) ?? false
    }
  }

  private static let zipped = [
    "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.",
    "application/java-archive", "application/vnd.android.package-archive",
    "application/x-zip-compressed",
  ]

  /// What one container holds is not told by its first bytes.
  private static let kin: [String: Set<String>] = [
    "video/mp4": ["audio/mp4"], "audio/mp4": ["audio/x-m4a", "audio/aac"],
    "video/webm": ["audio/webm"], "audio/ogg": ["video/ogg", "application/ogg"],
    "audio/mpeg": ["audio/mp3"], "audio/wav": ["audio/x-wav", "audio/wave", "audio/vnd.wave"],
    "image/heic": ["image/heif"],
    "application/gzip": ["application/x-gzip"],
    "application/x-ole": [
      "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
    ],
  ]

  private struct Mark {
    let bytes: [UInt8]
    var offset = 0
    let type: MediaType

    init(_ bytes: [UInt8], at offset: Int = 0, _ type: StaticString) {
      self.bytes = bytes
      self.offset = offset
      self.type = .known(type)
    }

    init(_ text: StaticString, at offset: Int = 0, _ type: StaticString) {
      self.init(Array("\(text)".utf8), at: offset, type)
    }

    func fits(_ head: [UInt8]) -> Bool { head.dropFirst(offset).starts(with: bytes) }
  }

  private static let marks: [Mark] = [
    Mark([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "image/png"),
    Mark([0xFF, 0xD8, 0xFF], "image/jpeg"),
    Mark("GIF87a", "image/gif"), Mark("GIF89a", "image/gif"),
    Mark([0x49, 0x49, 0x2A, 0x00], "image/tiff"), Mark([0x4D, 0x4D, 0x00, 0x2A], "image/tiff"),
    Mark("%PDF-", "application/pdf"),
    Mark([0x50, 0x4B, 0x03, 0x04], "application/zip"),
    Mark([0x50, 0x4B, 0x05, 0x06], "application/zip"),
    Mark([0x1F, 0x8B], "application/gzip"),
    Mark([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "application/x-7z-compressed"),
    Mark("Rar!", "application/vnd.rar"),
    Mark([0x28, 0xB5, 0x2F, 0xFD], "application/zstd"),
    Mark([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "application/x-ole"),
    Mark("OggS", "audio/ogg"), Mark("fLaC", "audio/flac"), Mark("ID3", "audio/mpeg"),
    Mark([0xFF, 0xFB], "audio/mpeg"), Mark([0xFF, 0xF3], "audio/mpeg"),
    Mark([0xFF, 0xF2], "audio/mpeg"), Mark([0xFF, 0xFA], "audio/mpeg"),
    Mark([0x7F, 0x45, 0x4C, 0x46], "application/x-executable"),
    Mark([0x4D, 0x5A], "application/vnd.microsoft.portable-executable"),
    Mark([0x00, 0x61, 0x73, 0x6D], "application/wasm"),
  ]

  /// What says of itself only further in what it holds.
  private static func container(_ head: [UInt8]) -> MediaType? {
    func text(_ range: Range<Int>) -> String {
      String(decoding: head.dropFirst(range.lowerBound).prefix(range.count), as: UTF8.self)
    }
    if text(0..<4) == "RIFF" {
      return switch text(8..<12) {
      case "WEBP": .known("image/webp")
      case "WAVE": .known("audio/wav")
      case "AVI ": .known("video/x-msvideo")
      default: nil
      }
    }
    if text(4..<8) == "ftyp" {
      return switch text(8..<12) {
      case "avif", "avis": .known("image/avif")
      case "heic", "heix", "heim", "heis", "mif1", "msf1": .known("image/heic")
      case "M4A ", "M4B ": .known("audio/mp4")
      case "qt  ": .known("video/quicktime")
      default: .known("video/mp4")
      }
    }
    if head.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
      // EBML: the document's type stands among the first elements.
      let isWebM = text(0..<64).contains("webm")
      return isWebM ? .known("video/webm") : .known("video/x-matroska")
    }
    if text(0..<2) == "BM", head.count >= 18, head[6..<10].allSatisfy({ $0 == 0 }),
      head[15..<18].allSatisfy({ $0 == 0 })
    {
      return .known("image/bmp")
    }
    return nil
  }
}
