internal import CSluice

extension StoreBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_store_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_store_v1_t>.size), reserved: 0,
      commit: { host, batch, completion, context in
        CallCheck.onLoop(host, "sluice.store/1 commit")
          ?? plain.commit(host, batch, completion, context)
      },
      read: { host, list, count, completion, context in
        CallCheck.onLoop(host, "sluice.store/1 read")
          ?? plain.read(host, list, count, completion, context)
      },
      room: { host in CallCheck.onLoop(host, "sluice.store/1 room") ?? plain.room(host) }))
}

extension BusBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_bus_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_bus_v1_t>.size), reserved: 0,
      subscribe: { host, channel, context, target in
        CallCheck.onLoop(host, "sluice.bus/1 subscribe")
          ?? plain.subscribe(host, channel, context, target)
      },
      unsubscribe: { host, subscription in
        CallCheck.onLoop(host, "sluice.bus/1 unsubscribe") ?? plain.unsubscribe(host, subscription)
      },
      publish: { host, channel, type, data in
        CallCheck.onLoop(host, "sluice.bus/1 publish") ?? plain.publish(host, channel, type, data)
      },
      history: { host, channel, since, limit, completion, context in
        CallCheck.onLoop(host, "sluice.bus/1 history")
          ?? plain.history(host, channel, since, limit, completion, context)
      }))
}

extension HistoryBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_history_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_history_v1_t>.size), reserved: 0,
      keep: { host, name, size, seconds in
        CallCheck.whileCreating(host, "sluice.history/1 keep")
          ?? plain.keep(host, name, size, seconds)
      },
      read: { host, channel, since, limit, flags, completion, context in
        CallCheck.onLoop(host, "sluice.history/1 read")
          ?? plain.read(host, channel, since, limit, flags, completion, context)
      }))
}

extension PresenceBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_presence_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_presence_v1_t>.size), reserved: 0,
      join: { host, channel, client, user, info, flags in
        CallCheck.onLoop(host, "sluice.presence/1 join")
          ?? plain.join(host, channel, client, user, info, flags)
      },
      leave: { host, channel, client in
        CallCheck.onLoop(host, "sluice.presence/1 leave") ?? plain.leave(host, channel, client)
      },
      list: { host, channel, after, limit, completion, context in
        CallCheck.onLoop(host, "sluice.presence/1 list")
          ?? plain.list(host, channel, after, limit, completion, context)
      },
      stats: { host, channel, completion, context in
        CallCheck.onLoop(host, "sluice.presence/1 stats")
          ?? plain.stats(host, channel, completion, context)
      }))
}

extension EventsBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_events_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_events_v1_t>.size), reserved: 0,
      done: { host, delivery, outcome in
        CallCheck.anyThread(host, "sluice.events/1 done") ?? plain.done(host, delivery, outcome)
      }))
}

extension ServicesBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_services_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_services_v1_t>.size), reserved: 0,
      call: { host, service, key, method, request, completion, context in
        CallCheck.onLoop(host, "sluice.services/1 call")
          ?? plain.call(host, service, key, method, request, completion, context)
      },
      reply: { host, call, status, reply in
        CallCheck.anyThread(host, "sluice.services/1 reply")
          ?? plain.reply(host, call, status, reply)
      }))
}

extension SecretsBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_secrets_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_secrets_v1_t>.size), reserved: 0,
      get: { host, name in
        CallCheck.onOwnThread(host, "sluice.secrets/1 get") == nil ? plain.get(host, name) : .absent
      },
      put: { host, name, value, onlyIfAbsent, completion, context in
        CallCheck.onLoop(host, "sluice.secrets/1 put")
          ?? plain.put(host, name, value, onlyIfAbsent, completion, context)
      }))
}
