internal import CSluice

/// `sluice.events/1` (ext/events.h).
enum EventsBridge {
  static let table = PermanentTable(
    sluice_events_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_events_v1_t>.size), reserved: 0,
      done: { host, delivery, outcome in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else {
          let isTaken = shard.eventLoop.post { shard.pump?.done(delivery, outcome) }
          return isTaken ? SLUICE_OK : SLUICE_E_STALE
        }
        guard shard.deliveries[delivery] != nil, let pump = shard.pump else {
          return SLUICE_E_STALE
        }
        return pump.done(delivery, outcome) ? SLUICE_OK : SLUICE_E_STALE
      }))
}
