/// Lets so many at a time go on, the others in the order in which they came. Confined to a loop.
final class Turns {
  private let limit: Int
  private var underWay = 0
  private var waiting: [UnsafeContinuation<Void, Never>] = []
  /// Those of them that go on already.
  private var gone = 0

  init(_ limit: Int) { self.limit = limit }

  /// Returns when it is one's turn, which is to be passed on.
  func take() async {
    guard underWay >= limit else {
      underWay += 1
      return
    }
    await withUnsafeContinuation { waiting.append($0) }
  }

  func pass() {
    guard gone < waiting.count else {
      waiting = []
      gone = 0
      underWay -= 1
      return
    }
    let next = waiting[gone]
    gone += 1
    if gone >= 1_024 {
      waiting.removeFirst(gone)
      gone = 0
    }
    next.resume()
  }
}
