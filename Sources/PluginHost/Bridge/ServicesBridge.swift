internal import CSluice
internal import Gateway

/// `sluice.services/1` (ext/services.h).
enum ServicesBridge {
  static let table = PermanentTable(
    sluice_services_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_services_v1_t>.size), reserved: 0,
      call: { host, service, key, method, request, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(service)
        guard let id = ServiceID(name),
          shard.plugin.manifest.requires.contains(where: { $0.service == id })
        else {
          return SLUICE_E_DENIED
        }
        let keyText = key.bytes == nil ? nil : String(key)
        guard let set = shard.set else { return SLUICE_E_WRONG_STATE }
        guard let plugin = set.runtime.plan.provider(of: id, key: keyText),
          let provider = set[plugin]
        else {
          return SLUICE_E_NOT_FOUND
        }
        let promise = shard.promise(completion, context)
        // Later: the provider may be the caller itself, which must not be entered twice.
        let copy = Array(request.raw)
        shard.eventLoop.post {
          guard provider.isOpen else { return shard.keep(promise, SLUICE_E_CANCELLED) }
          copy.withUnsafeBytes { request in
            shard.loop.callService(provider, name, key: keyText, method: method, request: request) {
              status, reply in
              shard.keep(promise, status, reply)
            }
          }
        }
        return SLUICE_PENDING
      },
      reply: { host, call, status, reply in
        let shard = shard(host)
        let copy = Array(reply.raw)
        if shard.eventLoop.isCurrent {
          return shard.loop.reply(call, status, copy, from: shard) ? SLUICE_OK : SLUICE_E_STALE
        }
        let isTaken = shard.eventLoop.post { _ = shard.loop.reply(call, status, copy, from: shard) }
        return isTaken ? SLUICE_OK : SLUICE_E_STALE
      }))
}
