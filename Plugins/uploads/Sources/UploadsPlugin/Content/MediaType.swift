/// A media type without parameters, in lower case (RFC 9110 §8.3.1): `image/png`.
struct MediaType: Hashable, Sendable {
  let text: String

  /// - Parameter text: as `Content-Type` has it; parameters are left out. nil when it is no media type.
  init?(_ text: String) {
    let type = text.prefix { $0 != ";" }.lowercased()
    let bare = String(
      type.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    let parts = bare.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, bare.utf8.count <= 127,
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(MediaType.isTokenByte) })
    else { return nil }
    self.text = bare
  }

  private init(known text: String) { self.text = text }

  /// What nothing is known of.
  static let unknown = MediaType(known: "application/octet-stream")
  static let plainText = MediaType(known: "text/plain")
  static let html = MediaType(known: "text/html")
  static let svg = MediaType(known: "image/svg+xml")
  static let zip = MediaType(known: "application/zip")

  /// A literal of this file's neighbours.
  static func known(_ text: StaticString) -> MediaType { MediaType(known: "\(text)") }

  /// Whether a browser may show it in place: it is drawn or played, and no part of it is run.
  var isInline: Bool { MediaType.inline.contains(text) }

  private static let inline: Set<String> = [
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp",
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/flac",
    "video/mp4", "video/quicktime", "video/webm", "video/ogg",
  ]

  /// As `Content-Type` says it: text is UTF-8, or a browser guesses.
  var field: String { text.hasPrefix("text/") ? text + "; charset=utf-8" : text }

  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "!#$&-^_.+".utf8.contains(byte)
    }
  }
}
