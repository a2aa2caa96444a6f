internal import PluginKit

/// Where a list that is ordered by a time, and by ids where times are the same, goes on: `1767225600000:msg_1`.
struct TimedCursor: Equatable {
  /// Unix milliseconds.
  let at: Int64
  let id: String

  init(at: Int64, id: String) {
    self.at = at
    self.id = id
  }

  /// - Parameter pointer: where it is given.
  /// - Throws: `Problem` 400 when it is not what `next` said.
  init(_ text: String, at pointer: String = "/query/after") throws {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let at = Int64(parts[0]), at >= 0,
      Identifier.isValid(String(parts[1]))
    else {
      throw Problem.invalid(
        pointer: pointer, "This is what \"next\" of the page before said.")
    }
    self.init(at: at, id: String(parts[1]))
  }

  /// As `next`.
  var text: String { "\(at):\(id)" }
}
