internal import Gateway
internal import Store

/// A tenant's plugins: which run, in which version, with which settings.
extension TenantControl {
  /// Switches a plugin on or off for a tenant, chooses its version, or changes its settings. The new generation is built and
  /// its shards opened before anything is recorded; any error leaves everything as it was.
  ///
  /// - Parameter version: nil keeps the choice there is; "" is none, which is the standard version.
  func setPlugin(
    _ tenant: String, plugin id: String, enabled: Bool, config: String?, version: String?
  ) async throws(TenantFailure) {
    await lock(tenant)
    defer { unlock(tenant) }
    let change = try pluginChange(
      tenant, plugin: id, enabled: enabled, config: config, version: version)
    let (record, secrets, listens) = (change.record, change.secrets, change.listens)
    let runtime: TenantRuntime
    do throws(TenantFailure) {
      runtime = try await build(record, host.currentSetup, tables, sealed: [id: secrets])
    } catch {
      guard error.storeCode == .schemaTooNew else { throw error }
      // Nobody else's data is newer than what there was: it is this choice that is too old.
      throw TenantFailure(
        code: .conflict, message: error.message,
        told:
          "A breaking migration of a newer version of the plugin \"\(id)\" has changed the app's data, and this version cannot use it."
      )
    }
    var opened: [(LoopHost, OpenedGeneration)] = []
    do throws(TenantFailure) {
      try await keepCursors(for: runtime)
      opened = try await openWhereItIsOpen(runtime)
      let (setting, sealing) = (change.setting, secrets)
      _ = try await registry.change { registry, done in
        registry.setPlugin(
          tenant, plugin: id, setting: setting, sealing: sealing, completion: done)
      }
    } catch {
      for (loop, generation) in opened { await loop.discard(generation) }
      runtime.abandon(host)
      if !change.wasEnabled && listens { await dropCursor(of: id, tenant) }
      throw error
    }
    let former = runtimes.updateValue(runtime, forKey: tenant)
    for (loop, generation) in opened {
      await loop.swap(tenant, generation, without: enabled ? [] : [id])
    }
    former?.abandon(host)
    await host.alarms.unpark(tenant)
    if !enabled && listens { await dropCursor(of: id, tenant) }
  }

  /// What a change of a tenant's plugin comes to.
  struct PluginChange {
    /// The tenant with the change made.
    var record: TenantRecord
    var setting: PluginSetting
    var secrets: SealedSettings
    var wasEnabled: Bool
    /// Whether events are kept for the plugin.
    var listens: Bool
  }

  /// What `setPlugin` comes to, as far as that can be told without building anything.
  ///
  /// - Throws: `TenantFailure` for what is refused whatever the plugins themselves say.
  func pluginChange(
    _ tenant: String, plugin id: String, enabled: Bool, config: String?, version: String?
  ) throws(TenantFailure) -> PluginChange {
    guard var record = registry.record(tenant) else {
      throw TenantFailure(code: .notFound, message: "there is no tenant \"\(tenant)\"")
    }
    if let origin = record.origin {
      throw TenantFailure(
        code: .conflict, message: "the tenant \"\(tenant)\" is set in \(origin)",
        told: TenantFailure.setByOperator)
    }
    let old = record.plugins[id]
    let choice = version.map { $0.isEmpty ? nil : $0 } ?? old?.version
    var secrets = try sealed(id, tenant)
    var setting = PluginSetting(enabled: enabled, config: old?.config ?? "{}", version: choice)
    let listens: Bool
    if let old, !enabled, config == nil, version == nil,
      host.currentSetup.plugin(id, version: choice) == nil
    {
      // What is not installed can be switched off all the same; its settings stay what they are.
      setting.config = old.config
      listens = true
    } else {
      let plugin = try find(id, choice, for: tenant, isAsked: version != nil)
      if let config { try plugin.refuseMisplaced(config, of: tenant) }
      setting.config = try plugin.open(
        config ?? setting.config, after: setting.config, sealing: &secrets)
      _ = try plugin.settings(setting.config, secrets)
      listens = !plugin.manifest.listens.isEmpty
    }
    let wasEnabled = old?.enabled == true
    let bound = host.usage.bound(.plugins, of: tenant)
    let count = record.plugins.values.count(where: \.enabled)
    guard wasEnabled || !enabled || bound == 0 || count < bound else {
      throw TenantFailure(
        code: .quota,
        message:
          "The plan of this app allows \(bound) \(Quota.plugins.name), and \(count) are used.")
    }
    record.plugins[id] = setting
    return PluginChange(
      record: record, setting: setting, secrets: secrets, wasEnabled: wasEnabled, listens: listens)
  }

  /// Seals secrets among settings that were set before their plugin's schema called them so. At the start.
  func sealSettings() async {
    for record in registry.all() where !record.isStatic {
      for (id, setting) in record.plugins.sorted(by: { $0.key < $1.key }) {
        guard let plugin = host.currentSetup.plugin(id, version: setting.version) else { continue }
        do throws(TenantFailure) {
          let known = try sealed(id, record.id)
          var secrets = known
          var open = setting
          open.config = try plugin.open(
            setting.config, after: setting.config, sealing: &secrets)
          guard secrets != known else { continue }
          let (next, sealing) = (open, secrets)
          _ = try await registry.change { registry, done in
            registry.setPlugin(
              record.id, plugin: id, setting: next, sealing: sealing, completion: done)
          }
        } catch {
          host.log.write(
            .error, "secrets among a plugin's settings cannot be sealed",
            fields: [
              "tenant": .string(record.id), "plugin": .string(id), "reason": .string(error.message),
            ])
        }
      }
    }
  }

  /// - Parameter isAsked: whether the version is what the change asks for, and not what there was.
  private func find(
    _ id: String, _ version: String?, for tenant: String, isAsked: Bool
  ) throws(TenantFailure) -> LoadedPlugin {
    let setup = host.currentSetup
    let kind = TenantKind(of: tenant)
    guard let standard = setup.plugins[id], standard.manifest.tenants.includes(kind) else {
      throw TenantFailure(code: .notFound, message: "there is no plugin \"\(id)\" for apps")
    }
    guard let plugin = setup.plugin(id, version: version),
      plugin.manifest.tenants.includes(kind)
    else {
      guard isAsked else {
        throw TenantFailure(missing: id, version: version, for: tenant, among: setup.allManifests)
      }
      throw TenantFailure(
        code: .notFound, message: "plugin \"\(id)\" is not installed in version \(version ?? "")")
    }
    return plugin
  }

  /// Lets go of the events that a plugin which is switched off has not heard: it begins anew when it is switched on.
  func dropCursor(of plugin: String, _ tenant: String) async {
    do throws(StoreError) {
      try await host.store.removeListener(tenant: tenant, listener: plugin)
    } catch {
      host.log.write(
        .warning, "a listener's cursor cannot be dropped; its tenant keeps events for it",
        fields: [
          "tenant": .string(tenant), "plugin": .string(plugin), "reason": .string("\(error)"),
        ])
    }
  }
}

extension TenantFailure {
  /// A plugin is not installed in the version that a tenant has chosen before, or not at all.
  init(missing plugin: String, version: String?, for tenant: String, among all: [PluginManifest]) {
    let missing = MissingPlugin(app: tenant, plugin: plugin, version: version, among: all)
    self.init(
      code: .missing, message: missing?.reason ?? "plugin \"\(plugin)\" does not suit the tenant",
      told: missing?.advice)
  }
}

extension LoadedPlugin {
  /// What of settings that are given may be shown; the secrets among them go to `secrets`, which so far has those of `former`.
  fileprivate func open(
    _ text: String, after former: String, sealing secrets: inout SealedSettings
  ) throws(TenantFailure) -> String {
    let old = try read(former)
    let paths = secrets.paths(by: manifest.settings, in: old)
    // As it was given, where nothing has to be taken out.
    if paths.isEmpty { return text }
    if let place = secrets.misplaced(by: manifest.settings, in: old) {
      throw TenantFailure(
        code: .conflict,
        message:
          "The setting \"\(place)\" was sealed by another version of the plugin \"\(manifest.id)\", and has no place among the secrets of \(manifest.version). Remove it first, with null, and give it again."
      )
    }
    let given = try read(text)
    let moved = manifest.settings.redirected(given, since: old, secrets)
    try refuse(
      moved.map {
        Schema.Refusal(
          pointer: $0.pointer,
          message: "must be given again, or removed with null: it goes where "
            + "\"\($0.setting)\" says, which is another now")
      })
    return secrets.take(from: given, paths, after: old).json
  }

  /// A tenant's settings with the secrets among them, checked against the manifest's schema and completed by its defaults.
  func settings(_ text: String, _ secrets: SealedSettings) throws(TenantFailure) -> String {
    let open = try read(text)
    let schema = manifest.settings
    let paths = secrets.paths(by: schema, in: open).filter { $0.hasPlace(in: schema.value) }
    let value = secrets.put(into: open, paths)
    try refuse(manifest.settings.refusals(of: value))
    return manifest.settings.completed(value).json
  }

  /// Refuses settings that are given now and would do nothing for the tenant; those that it has had go on doing nothing.
  fileprivate func refuseMisplaced(_ text: String, of tenant: String) throws(TenantFailure) {
    try refuse(manifest.settings.misplaced(in: try read(text), for: TenantKind(of: tenant)))
  }

  private func refuse(_ refusals: [Schema.Refusal]) throws(TenantFailure) {
    guard !refusals.isEmpty else { return }
    let problems = refusals.map { SettingsProblem(pointer: $0.pointer, message: $0.message) }
    throw TenantFailure(
      code: .config,
      message: "plugin \"\(manifest.id)\": "
        + problems.map(\.description).joined(separator: "; "),
      problems: problems)
  }

  private func read(_ text: String) throws(TenantFailure) -> ConfigValue {
    do throws(ConfigurationError) {
      return try ConfigReader.read(text: Array(text.utf8), name: "config").root
    } catch {
      throw TenantFailure(
        code: .config, message: error.description,
        problems: error.problems.map { SettingsProblem(pointer: $0.pointer, message: $0.message) })
    }
  }
}
