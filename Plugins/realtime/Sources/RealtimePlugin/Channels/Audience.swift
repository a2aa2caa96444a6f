internal import PluginKit

/// Those connections of a channel that get the same messages. Of sockets one alone needs no group, which is what a
/// personal channel has; streams get copies.
struct Audience {
  static var nobody: Audience { Audience() }

  private enum Sockets {
    case nobody
    case one(Connection)
    case many(Group, count: Int)
  }

  private var sockets = Sockets.nobody
  private var streams: [UInt64: LineStream] = [:]

  var isEmpty: Bool {
    guard case .nobody = sockets else { return false }
    return streams.isEmpty
  }

  /// Adds a connection that is not in it.
  ///
  /// - Throws: `HostError` when the shard has too many groups; then it is not in it.
  mutating func add(_ transport: Transport, _ groups: Groups) throws {
    switch transport {
    case .socket(let connection): try add(connection, groups)
    case .stream(let stream): streams[stream.token] = stream
    }
  }

  private mutating func add(_ connection: Connection, _ groups: Groups) throws {
    switch sockets {
    case .nobody: sockets = .one(connection)
    case .one(let first):
      let group = try groups.make()
      group.add(first)
      group.add(connection)
      sockets = .many(group, count: 2)
    case .many(let group, let count):
      group.add(connection)
      sockets = .many(group, count: count + 1)
    }
  }

  /// Removes a connection that is in it, be it open or not.
  mutating func remove(_ transport: Transport) {
    switch transport {
    case .socket(let connection): remove(connection)
    case .stream(let stream): streams[stream.token] = nil
    }
  }

  private mutating func remove(_ connection: Connection) {
    switch sockets {
    case .nobody: break
    case .one(let only): if only == connection { sockets = .nobody }
    case .many(let group, let count):
      // One that has ended has left its groups already.
      group.remove(connection)
      guard count > 1 else { return endGroup() }
      sockets = .many(group, count: count - 1)
    }
  }

  func send(_ message: [UInt8]) {
    switch sockets {
    case .nobody: break
    case .one(let connection): connection.send(message, as: .text)
    case .many(let group, _): group.send(message, as: .text)
    }
    guard !streams.isEmpty else { return }
    // Framed once for each way of writing lines.
    var framed: [LineStream.Format: [UInt8]] = [:]
    for stream in streams.values {
      let piece = framed[stream.format] ?? stream.format.frame(message)
      framed[stream.format] = piece
      stream.send(framed: piece)
    }
  }

  /// Forgets all of them; they stay connected.
  mutating func end() {
    streams = [:]
    endGroup()
  }

  private mutating func endGroup() {
    if case .many(let group, _) = sockets { group.destroy() }
    sockets = .nobody
  }
}
