internal import PluginKit

/// The reads of a loop's channels, a few at a time and in order: when all clients come back at once, what they missed is
/// not in memory at once.
final class HistoryReads {
  /// The most that are under way.
  static let limit = 10

  private let histories: Histories
  private var underWay = 0
  private var waiting: [UnsafeContinuation<Void, Never>] = []
  /// Those of them that go on already.
  private var gone = 0

  init(_ histories: Histories) { self.histories = histories }

  /// As `Histories.read`, when it is its turn.
  func read(
    _ channel: String, since: UInt64? = nil, limit: Int, isReversed: Bool = false
  ) async throws -> History {
    if underWay < Self.limit {
      underWay += 1
    } else {
      await withUnsafeContinuation { waiting.append($0) }
    }
    defer { passOn() }
    return try await histories.read(channel, since: since, limit: limit, isReversed: isReversed)
  }

  private func passOn() {
    guard gone < waiting.count else {
      underWay -= 1
      return
    }
    let next = waiting[gone]
    gone += 1
    if gone == waiting.count {
      waiting = []
      gone = 0
    } else if gone >= 1_024 {
      waiting.removeFirst(gone)
      gone = 0
    }
    next.resume()
  }
}
