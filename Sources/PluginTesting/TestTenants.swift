internal import CSluice
public import PluginKit

/// The tenants that the plugin has made, with what it has put there.
public struct TestTenants: Sendable {
  /// What the plugin has said of one plugin of a tenant.
  public struct Plugin: Sendable, Equatable {
    /// Whether it is switched on.
    public var isEnabled: Bool
    /// The settings that it was given, not looked at.
    public var config: RawJSON
    /// The version that was chosen; nil is the standard one.
    public var version: String?
    /// How often it was set.
    public var revision = 1
  }

  /// A credential that the plugin has put.
  public struct Key: Sendable, Equatable {
    /// As it was put; it holds a digest, never the secret.
    public var credential: Credential
    /// Unix milliseconds; nil while it is good.
    public var revokedAt: Int64?
    /// Unix milliseconds, for the test to set; 0 before the first time.
    public var lastUsedAt: Int64 = 0
  }

  /// One tenant, as the plugin has left it.
  public struct Tenant: Sendable, Equatable {
    /// By id; what is not here was never set.
    public var plugins: [String: Plugin] = [:]
    /// Ids of plugins that cannot be set, as if they were not installed.
    public var refusedPlugins: Set<String> = []
    /// By the key's id.
    public var credentials: [String: Key] = [:]
    /// How many of them it may have: another is refused as invalid, as by the host.
    public var credentialLimit = 1_000
    /// By name, unsealed: what `sluice.secrets/1` of that tenant would read.
    public var secrets: [String: [UInt8]] = [:]
    /// By name: what there was before the last rotation that was not taken back.
    var rotated: [String: TestRotation] = [:]
    /// As the plugin set them, in its order.
    public var hosts: [String] = []
    /// The chains that were put, by host, not looked at.
    public var certificates: [String: [UInt8]] = [:]
    /// As the plugin set them, not looked at.
    public var origins: [String] = []
    /// The plan that it is on.
    public var plan = "free"
    /// What `usage` answers, whatever hours are asked for.
    public var usage: RawJSON = #"{"plan":"free","quotas":[],"hours":[]}"#
    /// The hours that were asked for last, in Unix milliseconds.
    public var usageAsked: Range<Int64>?
  }

  /// What `installed` answers, a JSON array.
  public var installed: RawJSON
  /// Host names that no tenant may have.
  public var platformHosts: Set<String> = []
  /// The operator's plans, by their names.
  public var plans: Set<String> = ["free"]
  /// By id; what the plugin deleted is gone.
  public var tenants: [String: Tenant]

  /// - Parameters:
  ///   - installed: a JSON array.
  ///   - tenants: by id.
  public init(installed: RawJSON = "[]", tenants: [String: Tenant] = [:]) {
    self.installed = installed
    self.tenants = tenants
  }
}

let tenantsTable = Constant {
  sluice_tenants_v1_t(
    struct_size: $0, reserved: 0,
    create: { host, tenant, completion, context in
      change(host, completion, context) { state, _ in
        let name = tenant.text
        guard TestTenants.isName(name) else { return SLUICE_E_INVALID }
        guard state.tenants[name] == nil else { return SLUICE_E_CONFLICT }
        state.tenants[name] = TestTenants.Tenant()
        return SLUICE_OK
      }
    },
    remove: { host, tenant, completion, context in
      change(host, completion, context) { state, _ in
        state.tenants.removeValue(forKey: tenant.text) == nil ? SLUICE_E_NOT_FOUND : SLUICE_OK
      }
    },
    installed: { host in
      let world = TestWorld.of(host)
      return world.lend(world.tenants.installed.bytes)
    },
    plugins: { host, tenant in
      let world = TestWorld.of(host)
      guard let known = world.tenants.tenants[tenant.text] else {
        return sluice_slice_t(bytes: nil, length: 0)
      }
      let list = known.plugins.sorted { $0.key < $1.key }.map {
        InstalledPlugin(
          id: $0.key, version: $0.value.version ?? "0.0.0",
          pinned: $0.value.version.map { _ in true }, enabled: $0.value.isEnabled,
          config: $0.value.config, revision: "\($0.value.revision)")
      }
      return world.lend((try? JSON.encode(list)) ?? [])
    },
    set_plugin: { host, tenant, plugin, enabled, config, version, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        let id = plugin.text
        guard !tenant.refusedPlugins.contains(id) else { return SLUICE_E_NOT_FOUND }
        var value = tenant.plugins[id] ?? TestTenants.Plugin(isEnabled: false, config: "{}")
        value.isEnabled = enabled != 0
        if config.bytes != nil { value.config = RawJSON(unchecked: config.array) }
        if version.bytes != nil { value.version = version.length == 0 ? nil : version.text }
        if tenant.plugins[id] != nil { value.revision += 1 }
        tenant.plugins[id] = value
        return SLUICE_OK
      }
    },
    put_credential: { host, tenant, credential, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        let value = Credential(
          id: credential.pointee.id.text, digest: credential.pointee.digest.array,
          scopes: credential.pointee.scopes.text.split(separator: " ").map(String.init),
          expiresAt: credential.pointee.expires_at_ms == 0
            ? nil : Timestamp(unixMilliseconds: credential.pointee.expires_at_ms))
        guard value.digest.count == 32, tenant.credentials.count < tenant.credentialLimit else {
          return SLUICE_E_INVALID
        }
        let isTaken = tenant.credentials.values.contains {
          $0.credential.id == value.id || $0.credential.digest == value.digest
        }
        guard !isTaken else { return SLUICE_E_CONFLICT }
        tenant.credentials[value.id] = TestTenants.Key(credential: value)
        return SLUICE_OK
      }
    },
    revoke_credential: { host, tenant, id, time, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, now in
        guard tenant.credentials[id.text] != nil else { return SLUICE_E_NOT_FOUND }
        tenant.credentials[id.text]?.revokedAt = time == 0 ? now : time
        return SLUICE_OK
      }
    },
    put_secret: { host, tenant, name, value, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        guard name.text.hasPrefix("tenant.") else { return SLUICE_E_DENIED }
        tenant.secrets[name.text] = value.bytes == nil ? nil : value.array
        return SLUICE_OK
      }
    },
    set_hosts: { host, tenant, hosts, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        tenant.hosts = hosts.text.split(separator: " ").map(String.init)
        return SLUICE_OK
      }
    },
    set_origins: { host, tenant, origins, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        tenant.origins = origins.text.split(separator: " ").map(String.init)
        return SLUICE_OK
      }
    },
    origins: { host, tenant in
      let world = TestWorld.of(host)
      guard let known = world.tenants.tenants[tenant.text] else {
        return sluice_slice_t(bytes: nil, length: 0)
      }
      return world.lend(Array(known.origins.joined(separator: " ").utf8))
    },
    credentials: { host, tenant in
      let world = TestWorld.of(host)
      guard let known = world.tenants.tenants[tenant.text] else {
        return sluice_slice_t(bytes: nil, length: 0)
      }
      let now = world.shared.now
      let list = known.credentials.values.filter { ($0.revokedAt ?? .max) > now }
        .sorted { $0.credential.id < $1.credential.id }.map(KnownCredential.init)
      return world.lend((try? JSON.encode(list)) ?? [])
    },
    set_scopes: { host, tenant, id, scopes, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        guard tenant.credentials[id.text] != nil else { return SLUICE_E_NOT_FOUND }
        tenant.credentials[id.text]?.credential.scopes = scopes.text.split(separator: " ")
          .map(String.init)
        return SLUICE_OK
      }
    },
    rotate_secret: { host, tenant, name, value, until, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, now in
        guard name.text.hasPrefix("tenant.") else { return SLUICE_E_DENIED }
        return tenant.rotate(name.text, value.array, until: until, at: now)
          ? SLUICE_OK : SLUICE_E_LIMITED
      }
    },
    put_host: { host, tenant, name, chain, key, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.tenants/1") else { return SLUICE_E_WRONG_THREAD }
      let (id, name) = (tenant.text, name.text)
      guard var known = world.tenants.tenants[id] else {
        world.complete(completion, context, SLUICE_E_NOT_FOUND)
        return SLUICE_PENDING
      }
      guard
        !world.tenants.tenants.contains(where: { $0.key != id && $0.value.hosts.contains(name) })
      else {
        world.complete(completion, context, SLUICE_E_CONFLICT, Array("It is another's.".utf8))
        return SLUICE_PENDING
      }
      guard !world.tenants.platformHosts.contains(name) else {
        world.complete(completion, context, SLUICE_E_CONFLICT, Array("It is the platform's.".utf8))
        return SLUICE_PENDING
      }
      if !known.hosts.contains(name) { known.hosts.append(name) }
      if chain.bytes != nil { known.certificates[name] = chain.array }
      world.tenants.tenants[id] = known
      world.complete(
        completion, context, SLUICE_OK, Array((chain.bytes == nil ? "{}" : described(name)).utf8))
      return SLUICE_PENDING
    },
    remove_host: { host, tenant, name, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        guard tenant.hosts.contains(name.text) else { return SLUICE_E_NOT_FOUND }
        tenant.hosts.removeAll { $0 == name.text }
        tenant.certificates[name.text] = nil
        return SLUICE_OK
      }
    },
    usage: { host, tenant, from, to, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.tenants/1") else { return SLUICE_E_WRONG_THREAD }
      let name = tenant.text
      return world.complete(completion, context) {
        guard let known = world.tenants.tenants[name] else { throw HostError(.notFound) }
        world.tenants.tenants[name]?.usageAsked = min(from, to)..<max(from, to)
        return known.usage.bytes
      }
    },
    hosts: { host, tenant, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.tenants/1") else { return SLUICE_E_WRONG_THREAD }
      let name = tenant.text
      return world.complete(completion, context) {
        guard name != "platform" else {
          return Array(
            "[\(world.tenants.platformHosts.sorted().map { #"{"host":"\#($0)"}"# }.joined(separator: ","))]"
              .utf8)
        }
        guard let known = world.tenants.tenants[name] else { throw HostError(.notFound) }
        let list = known.hosts.map { host in
          known.certificates[host] == nil
            ? #"{"host":"\#(host)"}"# : #"{"host":"\#(host)","certificate":\#(described(host))}"#
        }
        return Array("[\(list.joined(separator: ","))]".utf8)
      }
    },
    create_on: { host, tenant, plan, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.tenants/1") else { return SLUICE_E_WRONG_THREAD }
      let (id, plan) = (tenant.text, plan.bytes == nil ? "free" : plan.text)
      return world.complete(completion, context) {
        guard TestTenants.isName(id) else { throw HostError(.invalid) }
        guard world.tenants.plans.contains(plan) else {
          throw HostError(.invalid, #"[{"pointer":"/plan","message":"there is no such plan"}]"#)
        }
        guard world.tenants.tenants[id] == nil else { throw HostError(.conflict) }
        world.tenants.tenants[id] = TestTenants.Tenant(plan: plan)
        return []
      }
    },
    plan: { host, tenant in
      let world = TestWorld.of(host)
      guard let known = world.tenants.tenants[tenant.text] else {
        return sluice_slice_t(bytes: nil, length: 0)
      }
      return world.lend(Array(known.plan.utf8))
    },
    take_back_secret: { host, tenant, name, digest, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        guard name.text.hasPrefix("tenant.") else { return SLUICE_E_DENIED }
        guard digest.length == 32 else { return SLUICE_E_INVALID }
        tenant.takeBack(name.text, digest: digest.array)
        return SLUICE_OK
      }
    },
    check_plugin: { host, tenant, plugin, enabled, config, version, completion, context in
      changeTenant(host, tenant, completion, context) { tenant, _ in
        tenant.refusedPlugins.contains(plugin.text) ? SLUICE_E_NOT_FOUND : SLUICE_OK
      }
    })
}

/// What the certificate of a host says of itself here, whatever was put.
private func described(_ host: String) -> String {
  #"{"names":["\#(host)"],"not_before_ms":0,"not_after_ms":4102444800000}"#
}

private struct KnownCredential: Encodable {
  let id: String
  let scopes: [String]
  let expiry: Int64
  let lastUse: Int64

  enum CodingKeys: String, CodingKey {
    case id, scopes
    case expiry = "expires_at_ms"
    case lastUse = "last_used_at_ms"
  }

  init(_ key: TestTenants.Key) {
    id = key.credential.id
    scopes = key.credential.scopes
    expiry = key.revokedAt ?? key.credential.expiresAt?.unixMilliseconds ?? 0
    lastUse = key.lastUsedAt
  }
}

private struct InstalledPlugin: Encodable {
  let id: String
  let version: String
  let pinned: Bool?
  let enabled: Bool
  let config: RawJSON
  let revision: String
}

private func change(
  _ host: TestHostPointer, _ completion: @escaping sluice_completion_fn, _ context: UInt64,
  _ body: (inout TestTenants, Int64) -> sluice_status_t
) -> sluice_status_t {
  let world = TestWorld.of(host)
  guard world.isOnLoop("sluice.tenants/1") else { return SLUICE_E_WRONG_THREAD }
  world.complete(completion, context, body(&world.tenants, world.shared.now))
  return SLUICE_PENDING
}

private func changeTenant(
  _ host: TestHostPointer, _ tenant: sluice_slice_t,
  _ completion: @escaping sluice_completion_fn, _ context: UInt64,
  _ body: (inout TestTenants.Tenant, Int64) -> sluice_status_t
) -> sluice_status_t {
  change(host, completion, context) { state, now in
    guard var value = state.tenants[tenant.text] else { return SLUICE_E_NOT_FOUND }
    let status = body(&value, now)
    state.tenants[tenant.text] = value
    return status
  }
}

extension TestTenants {
  /// [a-z][a-z0-9_-]{0,63}
  static func isName(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.enumerated().allSatisfy { index, byte in
        (0x61...0x7A).contains(byte)
          || index > 0 && ((0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x2D)
      }
  }
}
