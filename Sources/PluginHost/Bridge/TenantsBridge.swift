internal import CSluice
internal import Gateway
internal import TLS

/// `sluice.tenants/1` (ext/tenants.h): the one extension that reaches across tenants.
enum TenantsBridge {
  static let table = PermanentTable(
    sluice_tenants_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_tenants_v1_t>.size), reserved: 0,
      create: { host, tenant, completion, context in
        let id = String(tenant)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.create(id, on: nil)
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
        let setup = loop.host.currentSetup
        return lend(
          loop,
          .array(
            setup.manifests.map { manifest in
              manifest.description(of: setup.allManifests.filter { $0.id == manifest.id })
            }))
      },
      plugins: { host, tenant in
        let loop = shard(host).loop
        guard let record = loop.host.registry.record(String(tenant)) else { return .absent }
        let setup = loop.host.currentSetup
        let list = record.plugins.sorted { $0.key < $1.key }.map { id, setting in
          let manifest = setup.plugin(id, version: setting.version)?.manifest
          let sealed = try? loop.host.registry.sealedSettings(record.id, plugin: id)
          return describe(
            id, setting, manifest, sealed ?? SealedSettings(),
            revision: loop.host.registry.revision(of: id, setting, tenant: record.id))
        }
        return lend(loop, .array(list))
      },
      set_plugin: { host, tenant, plugin, enabled, config, version, completion, context in
        let (id, name) = (String(tenant), String(plugin))
        let settings = config.bytes == nil ? nil : String(config)
        let choice = version.bytes == nil ? nil : String(version)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.setPlugin(
            id, plugin: name, enabled: enabled != 0, config: settings, version: choice)
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
      },
      credentials: { host, tenant in
        let loop = shard(host).loop
        guard let registry = loop.host.registry, let record = registry.record(String(tenant)) else {
          return .absent
        }
        let list = record.keys.map { key in
          ConfigValue.object([
            .init("id", .string(key.id)), .init("scopes", .array(key.scopes.map { .string($0) })),
            .init("expires_at_ms", .integer(Int(key.expiresAt))),
            .init(
              "last_used_at_ms", .integer(Int(registry.lastUse(of: key.id, tenant: record.id)))),
          ])
        }
        return lend(loop, .array(list))
      },
      set_scopes: { host, tenant, id, scopes, completion, context in
        let (tenant, id) = (String(tenant), String(id))
        let list = String(scopes).split(separator: " ").map(String.init)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.setScopes(tenant, id: id, list)
        }
      },
      rotate_secret: { host, tenant, name, value, until, completion, context in
        let (id, text) = (String(tenant), String(name))
        guard text.hasPrefix("tenant.") else { return SLUICE_E_DENIED }
        let copy = Array(value.raw)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.rotateSecret(id, name: text, value: copy, until: until)
        }
      },
      put_host: { host, tenant, name, chain, key, completion, context in
        let (id, name) = (String(tenant), String(name))
        let isGiven = chain.bytes != nil && key.bytes != nil
        let text = isGiven ? CertificateText(chain: Array(chain.raw), key: Array(key.raw)) : nil
        return answer(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.putHost(id, name, text)?.described ?? [:]
        }
      },
      remove_host: { host, tenant, name, completion, context in
        let (id, name) = (String(tenant), String(name))
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.removeHost(id, name)
        }
      },
      usage: { host, tenant, from, to, completion, context in
        let id = String(tenant)
        return answer(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.usage(of: id, from: from, to: to)
        }
      },
      hosts: { host, tenant, completion, context in
        let id = String(tenant)
        return answer(host, completion, context) { (tenants) throws(TenantFailure) in
          .array(
            try await tenants.hosts(of: id).map { name, certificate in
              .object(
                [.init("host", .string(name))]
                  + (certificate.map { [.init("certificate", $0.described)] } ?? []))
            })
        }
      },
      create_on: { host, tenant, plan, completion, context in
        let id = String(tenant)
        let name = plan.bytes == nil ? nil : String(plan)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.create(id, on: name)
        }
      },
      plan: { host, tenant in
        let loop = shard(host).loop
        let id = String(tenant)
        guard loop.host.registry.record(id) != nil else { return .absent }
        var name = loop.host.usage.plan(of: id)
        return name.withUTF8 { loop.lend(UnsafeRawBufferPointer($0)) }
      },
      take_back_secret: { host, tenant, name, digest, completion, context in
        let (id, text) = (String(tenant), String(name))
        guard text.hasPrefix("tenant.") else { return SLUICE_E_DENIED }
        guard digest.length == 32 else { return SLUICE_E_INVALID }
        let hexadecimal = HexDigest.text(of: Array(digest.raw))
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          try await tenants.takeBackSecret(id, name: text, digest: hexadecimal)
        }
      },
      check_plugin: { host, tenant, plugin, enabled, config, version, completion, context in
        let (id, name) = (String(tenant), String(plugin))
        let settings = config.bytes == nil ? nil : String(config)
        let choice = version.bytes == nil ? nil : String(version)
        return change(host, completion, context) { (tenants) throws(TenantFailure) in
          _ = try await tenants.pluginChange(
            id, plugin: name, enabled: enabled != 0, config: settings, version: choice)
        }
      }))

  /// A plugin as one tenant has it, without the secrets among its settings.
  private static func describe(
    _ id: String, _ setting: PluginSetting, _ manifest: PluginManifest?, _ sealed: SealedSettings,
    revision: String
  ) -> ConfigValue {
    let config = ConfigValue(json: setting.config) ?? .object([])
    let paths = manifest.map { sealed.paths(by: $0.settings, in: config) } ?? []
    let open = SealedSettings.open(config, paths)
    var members: [ConfigValue.Member] = [
      .init("id", .string(id)),
      .init("version", .string(manifest?.version ?? setting.version ?? "")),
      .init("enabled", .boolean(setting.enabled)), .init("config", open),
      .init("revision", .string(revision)),
    ]
    if setting.version != nil { members.append(.init("pinned", true)) }
    if !paths.isEmpty {
      let list = sealed.places(in: open, paths).map { place in
        ConfigValue.object([
          .init("pointer", .string(place.pointer)), .init("set", .boolean(place.isSet)),
        ])
      }
      members.append(.init("secrets", .array(list)))
    }
    return .object(members)
  }

  /// Makes a change on the control thread and keeps the plugin's promise with its outcome.
  private static func change(
    _ host: UnsafePointer<sluice_host_v1_t>, _ completion: @escaping sluice_completion_fn,
    _ context: UInt64,
    _ body: @escaping @Sendable (TenantControl) async throws(TenantFailure) -> Void
  ) -> Int32 {
    answer(host, completion, context) { (tenants) throws(TenantFailure) -> ConfigValue? in
      try await body(tenants)
      return nil
    }
  }

  /// The same with something to tell.
  private static func answer(
    _ host: UnsafePointer<sluice_host_v1_t>, _ completion: @escaping sluice_completion_fn,
    _ context: UInt64,
    _ body: @escaping @Sendable (TenantControl) async throws(TenantFailure) -> ConfigValue?
  ) -> Int32 {
    let shard = shard(host)
    guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
    let promise = shard.promise(completion, context)
    let tenants = shard.loop.host.tenants!
    Task {
      do throws(TenantFailure) {
        let value = try await body(tenants)
        shard.keepLater(promise, SLUICE_OK, value.map { Array($0.json.utf8) })
      } catch {
        if error.isForTheLog {
          shard.loop.host.log.write(
            .error, "a tenant cannot be changed",
            fields: [
              "plugin": .string(shard.plugin.manifest.id), "reason": .string(error.message),
            ])
        }
        shard.keepLater(promise, error.status, Array(error.reply.utf8))
      }
    }
    return SLUICE_PENDING
  }

  private static func lend(_ loop: LoopHost, _ value: ConfigValue) -> sluice_slice_t {
    Array(value.json.utf8).withUnsafeBytes { loop.lend($0) }
  }
}

extension CertificateSummary {
  /// In the form that the contract gives it.
  fileprivate var described: ConfigValue {
    [
      "names": .array(names.map { .string($0) }),
      "not_before_ms": .integer(Int(notBefore) * 1_000),
      "not_after_ms": .integer(Int(notAfter) * 1_000),
    ]
  }
}

extension PluginManifest {
  /// What `installed` tells of a plugin.
  ///
  /// - Parameter versions: all that are installed of it, this one too.
  fileprivate func description(of versions: [PluginManifest]) -> ConfigValue {
    let scopes = Set(versions.flatMap(\.scopes)).sorted()
    return .object([
      .init("id", .string(id)), .init("version", .string(version)),
      .init("versions", .array(versions.map { .string($0.version) })),
      .init("scopes", .array(scopes.map { .string($0) })),
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
    case .plan, .conflict, .missing: SLUICE_E_CONFLICT
    case .invalid: SLUICE_E_INVALID
    case .overloaded: SLUICE_E_OVERLOADED
    case .quota: SLUICE_E_LIMITED
    case .plugin, .store, .certificates: SLUICE_E_UNAVAILABLE
    }
  }

  /// Whether the reason is for the log alone: what the store and plugins say names files.
  fileprivate var isForTheLog: Bool { (code == .store || code == .plugin) && told == nil }

  /// What the completion carries, for an app's developers: pointers where there are some, else words.
  fileprivate var reply: String {
    guard code == .config || code == .invalid else {
      if let told { return told }
      return isForTheLog ? "The app cannot be changed: \(publicReason)." : message
    }
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
