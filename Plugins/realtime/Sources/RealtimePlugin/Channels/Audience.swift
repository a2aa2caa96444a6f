internal import PluginKit

/// Those connections of a channel that get the same bytes. One alone needs no group, which is what a personal channel
/// has.
enum Audience {
  case nobody
  case one(Connection)
  case many(Group, count: Int)

  var isEmpty: Bool {
    if case .nobody = self { return true }
    return false
  }

  /// Adds a connection that is not in it.
  ///
  /// - Throws: `HostError` when the shard has too many groups; then it is not in it.
  mutating func add(_ connection: Connection, _ groups: Groups) throws {
    switch self {
    case .nobody: self = .one(connection)
    case .one(let first):
      let group = try groups.make()
      group.add(first)
      group.add(connection)
      self = .many(group, count: 2)
    case .many(let group, let count):
      group.add(connection)
      self = .many(group, count: count + 1)
    }
  }

  /// Removes a connection that is in it, be it open or not.
  mutating func remove(_ connection: Connection) {
    switch self {
    case .nobody: break
    case .one(let only): if only == connection { self = .nobody }
    case .many(let group, let count):
      // One that has ended has left its groups already.
      group.remove(connection)
      guard count > 1 else { return end() }
      self = .many(group, count: count - 1)
    }
  }

  func send(_ message: [UInt8]) {
    switch self {
    case .nobody: break
    case .one(let connection): connection.send(message, as: .text)
    case .many(let group, _): group.send(message, as: .text)
    }
  }

  /// Forgets all of them; they stay connected.
  mutating func end() {
    if case .many(let group, _) = self { group.destroy() }
    self = .nobody
  }
}
