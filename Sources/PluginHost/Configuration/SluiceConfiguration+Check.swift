import Glibc
import TLS
import Wire

extension SluiceConfiguration {
  /// What is wrong between this configuration and the plugins that are installed: unknown plugins, parts in
  /// phases that are not granted, a plugin on a tenant it does not suit, settings that its schema refuses, secrets whose
  /// variable is not set, plans that do not fit.
  ///
  /// Empty when all is well. Control thread only.
  public func check(installed: [PluginManifest]) -> [ConfigProblem] {
    let ids = installed.map(\.id)
    var problems: [ConfigProblem] = []
    let named =
      plugins.grants.keys.sorted().map { (id: $0, pointer: "/plugins/grants/\($0)") }
      + (plugins.enabled ?? []).enumerated().map { (id: $1, pointer: "/plugins/enabled/\($0)") }
    for (id, pointer) in named where !ids.contains(id) {
      problems.append(
        ConfigProblem(
          file: source?.name ?? "configuration", position: source?.locate(pointer)?.value,
          pointer: pointer, message: "there is no plugin \"\(id)\"",
          suggestion: nearest(to: id, in: ids)))
    }
    for plugin in installed where !plugins.granted(to: plugin).contains(.phases) {
      guard let part = plugin.phases.first else { continue }
      problems.append(
        plugin.problem(
          at: part.pointer,
          "a part in a phase needs \(Capability.phases.rawValue), which the operator does not grant: "
            + "\"plugins\", \"grants\", \"\(plugin.id)\" leaves it out"))
    }
    for tenant in tenants {
      problems += tenant.check(installed: installed)
    }
    return problems + checkPlans(installed: installed)
  }

  /// What is hardly meant: a plugin that is switched on for the platform, there to reach the other tenants, and not granted
  /// what it takes. It starts and serves, and refuses whatever needs it.
  ///
  /// Empty when all is well. Control thread only.
  public func warnings(installed: [PluginManifest]) -> [ConfigProblem] {
    let enabled = Set(platformTenant(installed: installed).plugins.filter(\.isEnabled).map(\.id))
    return installed.filter {
      enabled.contains($0.id) && $0.tenants == .platform && $0.capabilities.contains(.tenants)
        && !plugins.granted(to: $0).contains(.tenants)
    }.map { plugin in
      ConfigProblem(
        file: source?.name ?? "configuration", position: source?.locate("/plugins")?.value,
        pointer: "/plugins",
        message:
          "plugin \"\(plugin.id)\" asks for \(Capability.tenants.rawValue) and is not granted it, "
          + "so it cannot reach any app: add \"tenants_grant\": \"platform\", or name it under \"grants\""
      )
    }
  }

  /// What is wrong with the certificates of the listeners: files that cannot be read, keys that do not match, chains that
  /// have lapsed, responses that cannot be stapled.
  ///
  /// Empty when all is well. Control thread only.
  public func checkCertificates() -> [ConfigProblem] {
    var found: [CertificateError] = []
    for tls in listeners.compactMap(\.tls) where !tls.certificates.isEmpty {
      guard let tickets = TicketKeys() else { continue }
      do throws(CertificateError) {
        _ = try TLSContext(
          reading: tls.settings(tls.certificates), tickets: tickets, now: Int64(time(nil)),
          allowsLapsed: false, warnings: &found)
      } catch {
        found.append(error)
      }
    }
    return found.map { ConfigProblem(file: $0.file, message: $0.reason) }
  }

  /// The operator's own tenant: as given, or with every plugin that suits it and nobody chose against.
  public func platformTenant(installed: [PluginManifest]) -> StaticTenant {
    if let tenant = tenants.first(where: { $0.kind == .platform }) { return tenant }
    var tenant = StaticTenant(id: StaticTenant.platformID)
    tenant.plugins = plugins.standard(for: .platform, of: installed).map { .init(id: $0.id) }
    return tenant
  }
}

extension StaticTenant {
  fileprivate func check(installed: [PluginManifest]) -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for plugin in plugins {
      let pointer = JSONPointer.appending(plugin.id, to: "/plugins")
      guard let manifest = installed.first(where: { $0.id == plugin.id }) else {
        problems.append(
          problem(
            at: pointer, "there is no plugin \"\(plugin.id)\"",
            suggestion: nearest(to: plugin.id, in: installed.map(\.id))))
        continue
      }
      if plugin.isEnabled && !manifest.tenants.includes(kind) {
        problems.append(
          problem(
            at: pointer,
            "plugin \"\(plugin.id)\" runs on \(manifest.tenants.rawValue) only, not on "
              + (kind == .platform ? "the platform" : "an app")))
      }
      let settings = manifest.settings
      let refusals =
        settings.refusals(of: plugin.config) + settings.misplaced(in: plugin.config, for: kind)
      problems += refusals.map { refusal in
        problem(at: pointer + "/config" + refusal.pointer, refusal.message)
      }
    }
    for (name, secret) in secrets.sorted(by: { $0.key < $1.key }) where secret.resolve() == nil {
      problems.append(
        problem(
          at: JSONPointer.appending(name, to: "/secrets"),
          "the environment variable of \(secret) is not set"))
    }
    return problems
  }
}
