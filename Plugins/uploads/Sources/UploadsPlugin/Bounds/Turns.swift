internal import PluginKit
internal import Synchronization

/// So many of a kind at once in the whole process, whichever app and loop they are of; and fewer of one app, so that it leaves room for the others.
///
/// Any thread. It is kept for the process and not with a shard, because what it bounds is the process's: threads and memory. Nothing of an app's is in it for longer than
/// its turns last.
final class Turns: Sendable {
  private struct Taken {
    var all = 0
    var byApp: [String: Int] = [:]
  }

  /// How often it is looked whether there is room, in milliseconds.
  private static let pause = 20

  private let most: Int
  private let mostOfOne: Int
  private let taken = Mutex(Taken())

  /// - Parameters:
  ///   - most: at once, of all apps together.
  ///   - mostOfOne: of these, for one app.
  init(most: Int, ofOneApp mostOfOne: Int) {
    self.most = most
    self.mostOfOne = mostOfOne
  }

  /// Takes a turn, which is given back by ``end(_:)``; false when there is none left for the app.
  func begin(_ app: String) -> Bool {
    taken.withLock { taken in
      guard taken.all < most, taken.byApp[app, default: 0] < mostOfOne else { return false }
      taken.all += 1
      taken.byApp[app, default: 0] += 1
      return true
    }
  }

  /// Gives a turn back.
  func end(_ app: String) {
    taken.withLock { taken in
      taken.all -= 1
      let left = taken.byApp[app, default: 1] - 1
      taken.byApp[app] = left > 0 ? left : nil
    }
  }

  /// Waits for a turn, on the loop of `context`; false when there is none for so many milliseconds.
  func wait(_ context: ShardContext, milliseconds: Int) async throws -> Bool {
    var waited = 0
    while !begin(context.tenant) {
      guard waited < milliseconds else { return false }
      waited += Turns.pause
      try await context.timers.sleep(milliseconds: Turns.pause)
    }
    return true
  }
}
