internal import CSluice

/// `sluice.history/1`: the histories of channels, in both directions. Loop thread only.
public struct Histories {
  unowned(unsafe) let context: ShardContext

  /// Events with an offset above `since`, oldest first; reversed those below it, newest first.
  ///
  /// - Parameters:
  ///   - since: nil begins at the one end or the other.
  ///   - limit: 0 to 1,000; 0 asks only where the channel stands.
  public func read(
    _ channel: String, since: UInt64? = nil, limit: Int, isReversed: Bool = false
  ) async throws -> History {
    // Nothing is below the first event.
    let limit = isReversed && since == 0 ? 0 : limit
    let (history, host) = try context.link.require("sluice.history/1", sluice_history_v1_t.self)
    let block: [UInt8] = try await context.call { completion, call in
      channel.withSlice {
        history.pointee.read(
          host, $0, since ?? 0, UInt32(clamping: limit), isReversed ? SLUICE_HISTORY_REVERSE : 0,
          completion, call)
      }
    }
    return try History(channel: channel, try RowBlock(block).statements)
  }
}

/// `sluice.history/1` while the instance is made: which namespaces its settings describe. Control thread.
public struct Namespaces {
  let link: HostLink

  /// Declares a namespace: the events of batches may go to its channels.
  ///
  /// - Parameters:
  ///   - size: how many events a channel keeps, at most 1,000,000; 0 makes the channels ephemeral.
  ///   - seconds: how long it keeps each; 0 is until the size drops it.
  /// - Throws: `HostError` `.invalid`; `ExtensionUnavailable`.
  public func keep(_ namespace: String, size: Int, seconds: Int = 0) throws {
    let (history, host) = try link.require("sluice.history/1", sluice_history_v1_t.self)
    let status = namespace.withSlice {
      history.pointee.keep(host, $0, UInt32(clamping: size), UInt32(clamping: seconds))
    }
    guard status >= 0 else { throw HostError(Status(rawValue: status), "keep") }
  }
}
