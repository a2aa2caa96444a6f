/// The beginning of a file that is text: UTF-8 without control characters.
struct Text {
  private let scalars: String

  /// - Parameter head: its first bytes. nil when they are no text; the last character may be cut in two.
  init?(_ head: [UInt8]) {
    guard !head.isEmpty, !head.contains(where: Text.isBinary) else { return nil }
    var bytes = head[...]
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    var text = String(validating: bytes, as: UTF8.self)
    for _ in 0..<3 where text == nil && head.count >= Sniffer.window {
      bytes = bytes.dropLast()
      text = String(validating: bytes, as: UTF8.self)
    }
    guard let text else { return nil }
    scalars = text
  }

  /// What a browser would take it for, if it may guess: HTML or SVG, or nothing that it runs. As strict as browsers are generous
  /// (WHATWG MIME Sniffing §7.1): a tag anywhere near the beginning counts.
  var markup: MediaType? {
    let text = scalars.prefix(1_024).lowercased()
    if text.contains("<svg") { return .svg }
    return Text.tags.contains { text.contains($0) } ? .html : nil
  }

  private static let tags = [
    "<!doctype html", "<html", "<head", "<script", "<iframe", "<body", "<h1", "<div", "<font",
    "<table", "<a ", "<style", "<title", "<b>", "<br", "<p>", "<!--", "<img", "<object", "<embed",
    "<form", "<meta", "<link", "<?xml",
  ]

  /// WHATWG MIME Sniffing §3: bytes that no text has.
  private static func isBinary(_ byte: UInt8) -> Bool {
    byte <= 0x08 || byte == 0x0B || (0x0E...0x1A).contains(byte) || (0x1C...0x1F).contains(byte)
      || byte == 0x7F
  }
}
