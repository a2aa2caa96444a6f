internal import CSluice
internal import Gateway

/// `sluice.websocket/1` (ext/websocket.h).
enum WebSocketBridge {
  static let table = PermanentTable(
    sluice_websocket_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_websocket_v1_t>.size), reserved: 0,
      send: { host, connection, kind, message in
        unretained(host)._withUnsafeGuaranteedRef { shard in
          guard shard.eventLoop.isCurrent else {
            return later(shard, [message]) { loop, generation, copies in
              _ = loop.send(connection, kind, copies[0], of: generation)
            }
          }
          guard let generation = shard.borrowedGeneration else { return SLUICE_E_STALE }
          return generation._withUnsafeGuaranteedRef {
            shard.gateway.send(connection, kind, message.raw, of: $0)
          }
        }
      },
      close: { host, connection, code, reason in
        status(of: host) { $0.close(connection, code, reason.raw, of: $1) }
      },
      queued: { host, connection in
        let shard = shard(host)
        guard let generation = shard.generation else { return 0 }
        return UInt64(shard.loop.gateway.queued(connection, of: generation))
      },
      principal: { host, connection, target in
        let shard = shard(host)
        let found = shard.generation.flatMap {
          shard.loop.gateway.socketPrincipal(connection, of: $0)
        }
        target.pointee = found ?? Principal.anonymous.contract
        return found == nil ? SLUICE_E_STALE : SLUICE_OK
      }))
}

/// `sluice.groups/1` (ext/groups.h).
enum GroupsBridge {
  static let limit = 65_536

  static let table = PermanentTable(
    sluice_groups_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_groups_v1_t>.size), reserved: 0,
      create: { host in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent, let generation = shard.generation,
          shard.groups.count < limit
        else {
          return 0
        }
        let token = shard.loop.gateway.makeGroup(of: generation)
        if token != 0 { shard.groups.insert(token) }
        return token
      },
      destroy: { host, group in
        let shard = shard(host)
        guard shard.groups.remove(group) != nil else { return SLUICE_E_STALE }
        return status(of: host) { $0.destroyGroup(group, of: $1) }
      },
      add: { host, group, connection in
        status(of: host) { $0.join(group, connection, of: $1) }
      },
      remove: { host, group, connection in
        status(of: host) { $0.leave(group, connection, of: $1) }
      },
      send: { host, group, kind, message in
        status(of: host) { $0.sendToGroup(group, kind, message.raw, of: $1) }
      },
      count: { host, group in
        let shard = shard(host)
        guard let generation = shard.generation else { return 0 }
        return UInt64(shard.loop.gateway.count(ofGroup: group, of: generation))
      }))
}
