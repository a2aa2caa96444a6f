internal import Bus
internal import CSluice
internal import Gateway
internal import Store

/// `sluice.bus/1` (ext/bus.h).
enum BusBridge {
  static let ephemeralBytes = 1 << 20

  static let table = PermanentTable(
    sluice_bus_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_bus_v1_t>.size), reserved: 0,
      subscribe: { host, channel, context, target in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name) else { return SLUICE_E_INVALID }
        guard let token = shard.loop.subscribe(shard, name, context) else {
          return SLUICE_E_TOO_LARGE
        }
        target.pointee = token
        return SLUICE_OK
      },
      unsubscribe: { host, subscription in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard shard.subscriptions.remove(subscription) != nil else { return SLUICE_E_STALE }
        shard.loop.unsubscribe(subscription)
        return SLUICE_OK
      },
      publish: { host, channel, type, data in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name) else { return SLUICE_E_INVALID }
        guard data.length <= UInt64(ephemeralBytes) else { return SLUICE_E_TOO_LARGE }
        let type = String(type)
        guard type != PresenceBridge.joined, type != PresenceBridge.left else {
          return SLUICE_E_DENIED
        }
        shard.loop.publish(
          Publication(
            tenant: shard.tenant, channel: name, sequence: 0, offset: 0,
            time: Int64(shard.eventLoop.unixMilliseconds), type: type,
            id: shard.loop.host.identifier("evt"),
            epoch: "", data: Array(data.raw)))
        return SLUICE_OK
      },
      history: { host, channel, since, limit, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name), (1...1000).contains(limit) else { return SLUICE_E_INVALID }
        return shard.readHistory(
          of: name, since: Int64(clamping: since), limit: Int(limit), completion, context)
      }))
}

extension Shard {
  /// Reads a channel's page for the plugin; the completion gets it as a row block. [loop-thread]
  ///
  /// - Parameter since: an offset; nil begins at the newest event, with `reverse`.
  /// - Returns: the call's own status.
  func readHistory(
    of channel: String, since: Int64?, limit: Int, reverse: Bool = false,
    _ completion: @escaping sluice_completion_fn, _ context: UInt64
  ) -> sluice_status_t {
    let promise = promise(completion, context)
    do throws(StoreError) {
      try instance.host.store.history(
        tenant: tenant, channel: channel, since: since, limit: limit, reverse: reverse
      ) { [self] result in
        switch result {
        case .success(let page): keepLater(promise, SLUICE_OK, page.rowBlock().bytes)
        case .failure(let error): keepLater(promise, error.status, Array(error.text.utf8))
        }
      }
    } catch {
      withdraw(promise)
      return error.status
    }
    return SLUICE_PENDING
  }
}
