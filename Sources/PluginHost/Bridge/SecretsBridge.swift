internal import CSluice
internal import Gateway

/// `sluice.secrets/1` (ext/secrets.h).
enum SecretsBridge {
  static let valueBytes = 65_536

  static let table = PermanentTable(
    sluice_secrets_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_secrets_v1_t>.size), reserved: 0,
      get: { host, name in
        let instance = instance(host)
        let text = String(name)
        guard text.hasPrefix(instance.plugin.manifest.id + ".") || text.hasPrefix("tenant."),
          !text.hasPrefix(SealedSettings.prefix),
          host.pointee.loop_index != SLUICE_NO_LOOP
        else { return .absent }
        let loop = shard(host).loop
        do throws(TenantError) {
          return try instance.host.registry.withSecret(tenant: instance.tenant, name: text) {
            loop.lend($0)
          } ?? .absent
        } catch {
          instance.host.log.write(
            .error, "a secret cannot be opened",
            fields: ["tenant": .string(instance.tenant), "reason": .string(error.message)])
          return .absent
        }
      },
      put: { host, name, value, onlyIfAbsent, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let text = String(name)
        guard text.hasPrefix(shard.plugin.manifest.id + "."),
          !text.hasPrefix(SealedSettings.prefix)
        else { return SLUICE_E_DENIED }
        guard value.length <= UInt64(valueBytes) else { return SLUICE_E_TOO_LARGE }
        let promise = shard.promise(completion, context)
        let copy = value.bytes == nil ? nil : Array(value.raw)
        shard.loop.host.registry.putSecret(
          shard.tenant, name: text, value: copy, onlyIfAbsent: onlyIfAbsent == 1
        ) { result in
          switch result {
          case .success: shard.keepLater(promise, SLUICE_OK, nil)
          case .failure(let error):
            shard.keepLater(promise, TenantFailure(error).status, Array(error.message.utf8))
          }
        }
        return SLUICE_PENDING
      }))
}
