internal import CSluice
internal import Gateway
internal import Store

/// How much the channels of a namespace keep.
struct HistoryBounds: Sendable, Hashable {
  /// 0: nothing; the channels are ephemeral.
  let size: Int
  /// 0: until the size drops it.
  let seconds: Int
}

/// `sluice.history/1` (ext/history.h).
enum HistoryBridge {
  static let largestSize = 1_000_000
  static let longestTime = 315_360_000

  static let table = PermanentTable(
    sluice_history_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_history_v1_t>.size), reserved: 0,
      keep: { host, name, size, seconds in
        let instance = instance(host)
        guard instance.host.control.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard host.pointee.loop_index == SLUICE_NO_LOOP,
          instance.life.load(ordering: .acquiring) == .loaded
        else { return SLUICE_E_WRONG_STATE }
        guard size <= largestSize, seconds <= longestTime, name.length <= 64 else {
          return SLUICE_E_INVALID
        }
        instance.namespaces[String(name)] = HistoryBounds(size: Int(size), seconds: Int(seconds))
        return SLUICE_OK
      },
      read: { host, channel, since, limit, flags, completion, context in
        guard host.pointee.loop_index != SLUICE_NO_LOOP else { return SLUICE_E_WRONG_THREAD }
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name), limit <= 1000, flags <= SLUICE_HISTORY_REVERSE else {
          return SLUICE_E_INVALID
        }
        let isReverse = flags == SLUICE_HISTORY_REVERSE
        // Nothing is newer than the greatest offset, so a page above it is where the channel stands.
        let start: Int64? =
          limit == 0 ? .max : isReverse && since == 0 ? nil : Int64(clamping: since)
        return shard.readHistory(
          of: name, since: start, limit: max(1, Int(limit)), reverse: isReverse && limit > 0,
          completion, context)
      }))
}
