internal import PluginKit

/// The field Retry-After (RFC 9110 §10.2.3): seconds, or a date.
enum RetryAfter {
  /// How long to wait from now on, in milliseconds; nil when it says nothing that can be read.
  static func milliseconds(_ value: String, at now: Timestamp) -> Int64? {
    let text = value.filter { $0 != "\r" && $0 != "\n" }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return Int64(text).map { $0 > Int64.max / 1_000 ? Int64.max : $0 * 1_000 } ?? Int64.max
    }
    return date(text).map { max(0, $0.unixMilliseconds - now.unixMilliseconds) }
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". The obsolete forms are not read.
  private static func date(_ text: String) -> Timestamp? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[5] == "GMT", words[1].utf8.count == 2,
      words[3].utf8.count == 4, let month = months.firstIndex(of: String(words[2]))
    else { return nil }
    let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    return Timestamp(rfc3339: "\(words[3])-\(number)-\(words[1])T\(words[4])Z")
  }
}
