internal import CSluice
internal import Gateway

extension WebSocketBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_websocket_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_websocket_v1_t>.size), reserved: 0,
      send: { host, connection, kind, message in
        CallCheck.anyThread(host, "sluice.websocket/1 send")
          ?? plain.send(host, connection, kind, message)
      },
      close: { host, connection, code, reason in
        CallCheck.onLoop(host, "sluice.websocket/1 close")
          ?? plain.close(host, connection, code, reason)
      },
      queued: { host, connection in
        CallCheck.onLoop(host, "sluice.websocket/1 queued") == nil
          ? plain.queued(host, connection) : 0
      },
      principal: { host, connection, target in
        guard let refusal = CallCheck.onLoop(host, "sluice.websocket/1 principal") else {
          return plain.principal(host, connection, target)
        }
        target.pointee = Principal.anonymous.contract
        return refusal
      }))
}

extension GroupsBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_groups_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_groups_v1_t>.size), reserved: 0,
      create: { host in
        CallCheck.onLoop(host, "sluice.groups/1 create") == nil ? plain.create(host) : 0
      },
      destroy: { host, group in
        CallCheck.onLoop(host, "sluice.groups/1 destroy") ?? plain.destroy(host, group)
      },
      add: { host, group, connection in
        CallCheck.onLoop(host, "sluice.groups/1 add") ?? plain.add(host, group, connection)
      },
      remove: { host, group, connection in
        CallCheck.onLoop(host, "sluice.groups/1 remove") ?? plain.remove(host, group, connection)
      },
      send: { host, group, kind, message in
        CallCheck.onLoop(host, "sluice.groups/1 send") ?? plain.send(host, group, kind, message)
      },
      count: { host, group in
        CallCheck.onLoop(host, "sluice.groups/1 count") == nil ? plain.count(host, group) : 0
      }))
}
