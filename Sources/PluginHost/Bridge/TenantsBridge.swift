internal import CSluice
internal import Gateway

/// `sluice.tenants/1` (ext/tenants.h): the one extension that reaches across tenants.
enum TenantsBridge {
  static let table = PermanentTable(
    sluice_tenants_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_tenants_v1_t>.size), reserved: 0,
      create: { host, tenant, completion, context in
        let id = String(tenant)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.create(id)
        }
      },
      remove: { host, tenant, completion, context in
        let id = String(tenant)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.remove(id)
        }
      },
      installed: { host in
        let loop = shard(host).loop
        return lend(loop, .array(loop.host.manifests.map(\.description)))
      },
      plugins: { host, tenant in
        let loop = shard(host).loop
        guard let record = loop.host.registry.record(String(tenant)) else { return .absent }
        let list = record.plugins.sorted { $0.key < $1.key }.map { id, setting in
          ConfigValue.object([
            .init("id", .string(id)),
            .init("version", .string(loop.host.plugins[id]?.manifest.version ?? "")),
            .init("enabled", .boolean(setting.enabled)),
            .init("config", ConfigValue(json: setting.config) ?? .object([])),
          ])
        }
        return lend(loop, .array(list))
      },
      set_plugin: { host, tenant, plugin, enabled, config, completion, context in
        let (id, name) = (String(tenant), String(plugin))
        let settings = config.bytes == nil ? nil : String(config)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.setPlugin(id, plugin: name, enabled: enabled != 0, config: settings)
        }
      },
      put_credential: { host, tenant, credential, completion, context in
        let id = String(tenant)
        let given = credential.pointee
        let scopes = String(given.scopes).split(separator: " ").map(String.init)
        let key = StoredKey(
          id: String(given.id), digest: Array(given.digest.raw), scopes: scopes,
          expiresAt: given.expires_at_ms)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.putKey(id, key)
        }
      },
      revoke_credential: { host, tenant, credential, at, completion, context in
        let (id, key) = (String(tenant), String(credential))
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.revokeKey(id, id: key, at: at)
        }
      },
      put_secret: { host, tenant, name, value, completion, context in
        let (id, text) = (String(tenant), String(name))
        guard text.hasPrefix("tenant.") else { return SLUICE_E_DENIED }
        let copy = value.bytes == nil ? nil : Array(value.raw)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.putSecret(id, name: text, value: copy)
        }
      },
      set_hosts: { host, tenant, hosts, completion, context in
        let id = String(tenant)
        let names = String(hosts).split(separator: " ").map(String.init)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.setHosts(id, names)
        }
      },
      set_origins: { host, tenant, origins, completion, context in
        let id = String(tenant)
        let list = String(origins).split(separator: " ").map(String.init)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.setOrigins(id, list)
        }
      },
      origins: { host, tenant in
        let loop = shard(host).loop
        guard let record = loop.host.registry.record(String(tenant)) else { return .absent }
        var text = record.origins.joined(separator: " ")
        return text.withUTF8 { loop.lend(UnsafeRawBufferPointer($0)) }
      }))

  /// Makes a change on the control thread and keeps the plugin's promise with its outcome.
  private static func change(
    _ host: UnsafePointer<sluice_host_v1_t>, _ completion: @escaping sluice_completion_fn,
    _ context: UInt64,
    _ body: @escaping @Sendable (TenantControl) async throws(TenantFailure) -> Void
  ) -> Int32 {
    let shard = shard(host)
    guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
    let promise = shard.promise(completion, context)
    let tenants = shard.loop.host.tenants!
    Task {
      do throws(TenantFailure) {
        try await body(tenants)
        shard.keepLater(promise, SLUICE_OK, nil)
      } catch {
        shard.keepLater(promise, error.status, Array(error.reply.utf8))
      }
    }
    return SLUICE_PENDING
  }

  private static func lend(_ loop: LoopHost, _ value: ConfigValue) -> sluice_slice_t {
    Array(value.json.utf8).withUnsafeBytes { loop.lend($0) }
  }
}

extension PluginManifest {
  /// What `installed` tells of a plugin.
  fileprivate var description: ConfigValue {
    .object([
      .init("id", .string(id)), .init("version", .string(version)),
      .init("summary", .string(summary)),
      .init("tenants", .string(tenants.rawValue)), .init("config_schema", settings.value),
    ])
  }
}

extension ConfigValue {
  /// The value that a text which was checked before stands for.
  fileprivate init?(json text: String) {
    guard let source = try? ConfigReader.read(text: Array(text.utf8), name: "config") else {
      return nil
    }
    self = source.root
  }
}

extension TenantFailure {
  /// The contract's code for the failure.
  var status: Int32 {
    switch code {
    case .notFound: SLUICE_E_NOT_FOUND
    case .config: SLUICE_E_CONFIG
    case .plan, .conflict: SLUICE_E_CONFLICT
    case .invalid: SLUICE_E_INVALID
    case .overloaded: SLUICE_E_OVERLOADED
    case .plugin, .store: SLUICE_E_UNAVAILABLE
    }
  }

  /// What the completion carries: pointers where there are some, else words.
  fileprivate var reply: String {
    guard code == .config || code == .invalid else { return message }
    guard !problems.isEmpty else {
      return ConfigValue.array([
        .object([.init("pointer", ""), .init("message", .string(message))])
      ]).json
    }
    return ConfigValue.array(
      problems.map {
        .object([.init("pointer", .string($0.pointer)), .init("message", .string($0.message))])
      }
    ).json
  }
}
