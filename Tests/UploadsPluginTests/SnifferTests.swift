import Testing

@testable import UploadsPlugin

@Suite struct `What a file is by its bytes` {
  static let known: [(head: [UInt8], type: String)] = [
    ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0], "image/png"),
    ([0xFF, 0xD8, 0xFF, 0xE0], "image/jpeg"),
    (Array("GIF89a....".utf8), "image/gif"),
    (Array("RIFF....WEBPVP8 ".utf8), "image/webp"),
    (Array("RIFF....WAVEfmt ".utf8), "audio/wav"),
    ([0, 0, 0, 0x20] + Array("ftypavif".utf8), "image/avif"),
    ([0, 0, 0, 0x20] + Array("ftypheic".utf8), "image/heic"),
    ([0, 0, 0, 0x20] + Array("ftypM4A ".utf8), "audio/mp4"),
    ([0, 0, 0, 0x20] + Array("ftypisom".utf8), "video/mp4"),
    ([0x1A, 0x45, 0xDF, 0xA3, 0x9F, 0x42, 0x82, 0x84] + Array("webm".utf8), "video/webm"),
    (
      [0x1A, 0x45, 0xDF, 0xA3, 0x9F, 0x42, 0x82, 0x88] + Array("matroska".utf8),
      "video/x-matroska"
    ),
    (Array("%PDF-1.7".utf8), "application/pdf"),
    ([0x50, 0x4B, 3, 4, 20, 0], "application/zip"),
    ([0x7F, 0x45, 0x4C, 0x46, 2], "application/x-executable"),
    (Array("just words, and émigrés".utf8), "text/plain"),
    (Array("a,b\n1,2\n".utf8), "text/plain"),
    (Array("\u{FEFF}  <!DOCTYPE HTML><p>".utf8), "text/html"),
    (Array("hello <ScRiPt>alert(1)</script>".utf8), "text/html"),
    (Array("<?xml version='1.0'?><!-- x --><svg onload='x'>".utf8), "image/svg+xml"),
    (Array("<?xml version='1.0'?><plist/>".utf8), "text/html"),
    ([1, 2, 3, 4], "application/octet-stream"),
    ([0xC3, 0x28, 0x41], "application/octet-stream"),
  ]

  @Test(arguments: known) func `is told`(head: [UInt8], type: String) {
    #expect(Sniffer.type(of: head).text == type)
  }

  @Test func `is text where a window cuts a character in two`() {
    let whole = Array(String(repeating: "é", count: Sniffer.window / 2).utf8)
    let cut = Array(("x" + String(repeating: "é", count: Sniffer.window / 2)).utf8)
    #expect(Sniffer.type(of: whole).text == "text/plain")
    #expect(Sniffer.type(of: Array(cut.prefix(Sniffer.window))).text == "text/plain")
    // Of a whole file that ends so, nothing is cut.
    #expect(Sniffer.type(of: [0x41, 0xC3]).text == "application/octet-stream")
  }

  static let agreements: [(declared: String, sniffed: String, agrees: Bool)] = [
    ("image/png", "image/png", true), ("image/jpeg", "image/png", false),
    ("application/vnd.oasis.opendocument.text", "application/zip", true),
    ("application/epub+zip", "application/zip", true),
    ("text/csv", "text/plain", true), ("application/json", "text/plain", true),
    ("text/html", "text/plain", false), ("text/javascript", "text/plain", false),
    ("text/plain", "text/html", false), ("text/plain", "image/svg+xml", false),
    ("audio/webm", "video/webm", true), ("image/png", "application/octet-stream", false),
  ]

  @Test(arguments: agreements) func `may be called what looks the same`(
    declared: String, sniffed: String, agrees: Bool
  ) throws {
    let declared = try #require(MediaType(declared))
    let sniffed = try #require(MediaType(sniffed))
    #expect(Sniffer.agrees(declared, with: sniffed) == agrees)
  }

  static let fields: [(field: String, type: String?)] = [
    ("image/PNG", "image/png"), (" text/plain ; charset=utf-8", "text/plain"),
    ("image", nil), ("image/", nil), ("/png", nil), ("a/b/c", nil), ("", nil), ("im age/png", nil),
    ("image/p\u{E9}g", nil),
  ]

  @Test(arguments: fields) func `is read from Content-Type`(field: String, type: String?) {
    #expect(MediaType(field)?.text == type)
  }

  // What a browser runs or draws by a program is saved, never shown.
  @Test(
    arguments: ["text/html", "image/svg+xml", "application/pdf", "text/plain", "application/zip"]
  )
  func `is not shown in place unless it is only drawn or played`(type: String) throws {
    #expect(try #require(MediaType(type)).isInline == false)
  }
}
