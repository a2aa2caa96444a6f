/// Where a list of a channel's messages goes on, and which way. Counted by `seq`, so messages that come
/// meanwhile move nothing.
enum MessageCursor: Equatable {
  /// Messages below this seq, the newest first.
  case older(than: Int64)
  /// Messages above this seq, the oldest first.
  case newer(than: Int64)

  /// The whole list, from its newest message.
  static let newest = MessageCursor.older(than: .max)

  /// What `next` said; nil when it is no such text.
  init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, let seq = Int64(parts[1]), seq >= 0 else { return nil }
    switch parts[0] {
    case "older": self = .older(than: seq)
    case "newer": self = .newer(than: seq)
    default: return nil
    }
  }

  /// As `next`. The colon keeps it apart from a message's id.
  var text: String {
    switch self {
    case .older(let seq): "older:\(seq)"
    case .newer(let seq): "newer:\(seq)"
    }
  }

  /// The same way, from another place.
  func moved(to seq: Int64) -> MessageCursor {
    switch self {
    case .older: .older(than: seq)
    case .newer: .newer(than: seq)
    }
  }
}
