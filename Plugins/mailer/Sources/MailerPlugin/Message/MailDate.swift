internal import PluginKit

/// The form of a date in a message (RFC 5322 §3.3), in UTC: "Thu, 01 Jan 2026 00:00:00 +0000".
enum MailDate {
  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static func text(of time: Timestamp) -> String {
    let seconds = max(0, time.unixMilliseconds / 1_000)
    // "2026-01-31T12:00:00.000Z"
    let parts = Timestamp(unixMilliseconds: seconds * 1_000).rfc3339.split { "-T.".contains($0) }
    let month = Int(parts[1]) ?? 1
    let weekday = weekdays[Int(seconds / 86_400 % 7)]
    return "\(weekday), \(parts[2]) \(months[month - 1]) \(parts[0]) \(parts[3]) +0000"
  }
}
