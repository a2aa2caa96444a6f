internal import CSluice
internal import Gateway

/// `sluice.phases/1` (ext/phases.h).
enum PhasesBridge {
  static let table = PermanentTable(
    sluice_phases_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_phases_v1_t>.size), reserved: 0,
      proceed: { host, request in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else {
          return later(shard, []) { loop, generation, _ in
            _ = loop.proceed(request, instance: shard.instanceWord, of: generation)
          }
        }
        guard let generation = shard.generation else { return SLUICE_E_STALE }
        return shard.gateway.proceed(request, instance: shard.instanceWord, of: generation)
      },
      operation: { host, request in
        slice(of: host) { $0.operation(request, of: $1) }
      },
      owner: { host, request in
        slice(of: host) { $0.routeOwner(request, of: $1) }
      },
      status: { host, request in
        number(of: host) { UInt32($0.status(request, of: $1)) }
      },
      bytes_sent: { host, request in
        number(of: host) { UInt64($0.bytesSent(request, of: $1)) }
      },
      duration_ns: { host, request in
        number(of: host) { $0.duration(request, of: $1) }
      }))
}

/// Asks the shard's loop for a number; 0 when there is none, or off the loop's thread.
private func number<Number: FixedWidthInteger>(
  of host: UnsafePointer<sluice_host_v1_t>, _ body: (GatewayLoop, Generation) -> Number
) -> Number {
  let shard = shard(host)
  guard shard.eventLoop.isCurrent, let generation = shard.generation else { return 0 }
  return body(shard.gateway, generation)
}
