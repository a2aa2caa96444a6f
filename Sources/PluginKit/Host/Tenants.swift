internal import CSluice

/// `sluice.tenants/1`: making and changing tenants. Granted to plugins of the platform only. Everything
/// is durable, and in force on every loop, when the call returns. Loop thread only.
public struct Tenants {
  /// `set_plugin` and `check_plugin` of ext/tenants.h.
  private typealias PluginChange =
    @convention(c) (
      UnsafePointer<sluice_host_v1_t>, sluice_slice_t, sluice_slice_t, UInt32, sluice_slice_t,
      sluice_slice_t, sluice_completion_fn, UInt64
    ) -> sluice_status_t

  unowned(unsafe) let context: ShardContext

  /// Makes an empty tenant with the plugins that new tenants get.
  ///
  /// - Parameter plan: the name of one of the operator's plans; nil is the standard one.
  /// - Throws: `HostError` `.conflict` when there is one; `.invalid` unless [a-z][a-z0-9_-]{0,63}, or when there is no such
  ///   plan, with a JSON array of {"pointer","message"} as its text.
  public func create(_ tenant: String, plan: String? = nil) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        plan.withSlice { tenants.create_on(host, tenant, $0, completion, call) }
      }
    }
  }

  /// The name of the plan that a tenant is on now, whoever has chosen it; nil: no such tenant.
  public func plan(of tenant: String) throws -> String? {
    let (tenants, host) = try table()
    let value = tenant.withSlice { Bytes(tenants.pointee.plan(host, $0)) }
    return value.isPresent ? String(decoding: value, as: UTF8.self) : nil
  }

  /// Ends a tenant: its requests, sockets, file and credentials.
  public func remove(_ tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenants.remove(host, $0, completion, call) }
    }
  }

  /// The plugins that are installed: a JSON array of {"id","version","versions","scopes","summary","tenants",
  /// "config_schema"}.
  public func installed() throws -> RawJSON {
    let (tenants, host) = try table()
    return RawJSON(unchecked: Array(Bytes(tenants.pointee.installed(host))))
  }

  /// A tenant's plugins: a JSON array of {"id","version","enabled","config","revision","pinned"?,"secrets"?}; nil: no such tenant.
  public func plugins(of tenant: String) throws -> RawJSON? {
    let (tenants, host) = try table()
    let value = tenant.withSlice { Bytes(tenants.pointee.plugins(host, $0)) }
    return value.isPresent ? RawJSON(unchecked: Array(value)) : nil
  }

  /// Switches a plugin on or off and gives it its settings; nil keeps what there is.
  ///
  /// - Parameter version: the one to run; "" is the standard one, and nil keeps the choice there is.
  /// - Throws: `HostError` `.invalid` or `.config` with a JSON array of {"pointer","message"} as its
  ///   text, `.notFound`, `.conflict`. The old generation then goes on.
  public func setPlugin(
    _ plugin: String, of tenant: String, enabled: Bool, config: RawJSON? = nil,
    version: String? = nil
  ) async throws {
    try await change(plugin, of: tenant, enabled, config, version) { $0.set_plugin }
  }

  /// Looks whether ``setPlugin(_:of:enabled:config:version:)`` with the same would be refused, and changes nothing. What only the plugin
  /// itself, or the set of all, can refuse is told by that alone.
  ///
  /// - Throws: what that throws.
  public func checkPlugin(
    _ plugin: String, of tenant: String, enabled: Bool, config: RawJSON? = nil,
    version: String? = nil
  ) async throws {
    try await change(plugin, of: tenant, enabled, config, version) { $0.check_plugin }
  }

  /// What one of the functions of the host's table says to a change of a plugin's.
  private func change(
    _ plugin: String, of tenant: String, _ enabled: Bool, _ config: RawJSON?, _ version: String?,
    _ function: (sluice_tenants_v1_t) -> PluginChange
  ) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        plugin.withSlice { plugin in
          (config?.bytes).withSlice { config in
            version.withSlice {
              function(tenants)(
                host, tenant, plugin, enabled ? 1 : 0, config, $0, completion, call)
            }
          }
        }
      }
    }
  }

  /// Lets a credential in.
  ///
  /// - Throws: `HostError` `.conflict` when the id or the digest is in use.
  public func put(_ credential: Credential, of tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        credential.withContract { tenants.put_credential(host, tenant, $0, completion, call) }
      }
    }
  }

  /// Ends a credential at a time; nil is at once.
  public func revoke(credential id: String, of tenant: String, at time: Timestamp? = nil)
    async throws
  {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        id.withSlice {
          tenants.revoke_credential(
            host, tenant, $0, time?.unixMilliseconds ?? 0, completion, call)
        }
      }
    }
  }

  /// Puts a secret where the tenant's plugins can read it. `name` begins with "tenant."; nil removes it.
  public func putSecret(_ name: String, _ value: [UInt8]?, of tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        name.withSlice { name in
          value.withSlice { tenants.put_secret(host, tenant, name, $0, completion, call) }
        }
      }
    }
  }

  /// The host names, lower case and without port, that lead to the tenant; replaces what there was.
  public func setHosts(_ hosts: [String], of tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        hosts.joined(separator: " ").withSlice {
          tenants.set_hosts(host, tenant, $0, completion, call)
        }
      }
    }
  }

  /// The origins whose pages may come to the tenant; replaces what there was, and none is any.
  ///
  /// - Throws: `HostError` `.invalid` with a JSON array of {"pointer","message"} as its text, whose pointers are into
  ///   the list; `.notFound`.
  public func setOrigins(_ origins: [String], of tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        origins.joined(separator: " ").withSlice {
          tenants.set_origins(host, tenant, $0, completion, call)
        }
      }
    }
  }

  /// The tenant's allowed origins; nil: no such tenant.
  public func origins(of tenant: String) throws -> [String]? {
    let (tenants, host) = try table()
    let value = tenant.withSlice { Bytes(tenants.pointee.origins(host, $0)) }
    guard value.isPresent else { return nil }
    return String(decoding: value, as: UTF8.self).split(separator: " ").map(String.init)
  }

  /// The tenant's credentials, in the order of their ids; nil: no such tenant.
  public func credentials(of tenant: String) throws -> [CredentialState]? {
    let (tenants, host) = try table()
    let value = tenant.withSlice { Bytes(tenants.pointee.credentials(host, $0)) }
    return value.isPresent ? try JSON.decode([CredentialState].self, from: value) : nil
  }

  /// Gives a credential other scopes.
  ///
  /// - Throws: `HostError` `.notFound` when the tenant has none of this id.
  public func setScopes(_ scopes: [String], ofCredential id: String, of tenant: String)
    async throws
  {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        id.withSlice { id in
          scopes.joined(separator: " ").withSlice {
            tenants.set_scopes(host, tenant, id, $0, completion, call)
          }
        }
      }
    }
  }

  /// Puts another secret in the place of one, which is kept under its name and ".previous" as `sluice/ext/tenants.h`
  /// says, for whoever accepts it until `time`.
  ///
  /// - Throws: `HostError` `.limited` when too many are kept that are still good.
  public func rotateSecret(
    _ name: String, _ value: [UInt8], of tenant: String, keepingOldUntil time: Timestamp
  ) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        name.withSlice { name in
          value.withSlice {
            tenants.rotate_secret(
              host, tenant, name, $0, time.unixMilliseconds, completion, call)
          }
        }
      }
    }
  }

  /// Takes back the last rotation of a secret, if it has put the text there whose SHA-256 is `digest`: the secret and those before
  /// it are what they were. Else nothing is changed.
  public func takeBackSecret(_ name: String, digest: [UInt8], of tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        name.withSlice { name in
          digest.withSlice { tenants.take_back_secret(host, tenant, name, $0, completion, call) }
        }
      }
    }
  }

  /// Leads a host name to the tenant, and serves a certificate for it wherever the gateway speaks TLS; without one the
  /// certificate that there is stays.
  ///
  /// - Parameters:
  ///   - chain: PEM, the host's own certificate first.
  ///   - key: its private key, PEM.
  /// - Returns: what the certificate says of itself; nil without one.
  /// - Throws: `HostError` `.conflict` when the host is another's or the platform's own, `.unavailable` when no certificate can
  ///   be served now, each with a text for whoever asked; `.invalid` with a JSON array of {"pointer","message"} as its text.
  @discardableResult
  public func putHost(_ name: String, chain: [UInt8]? = nil, key: [UInt8]? = nil, of tenant: String)
    async throws -> HostCertificate?
  {
    let (tenants, host) = try table()
    let reply = try await context.call { completion, call in
      tenant.withSlice { tenant in
        name.withSlice { name in
          chain.withSlice { chain in
            key.withSlice {
              tenants.pointee.put_host(host, tenant, name, chain, $0, completion, call)
            }
          }
        }
      }
    }
    return reply.count > 2 ? try JSON.decode(HostCertificate.self, from: reply) : nil
  }

  /// Takes a host name and its certificate from the tenant.
  ///
  /// - Throws: `HostError` `.notFound` when it has no such host.
  public func removeHost(_ name: String, of tenant: String) async throws {
    try await call { tenants, host, completion, call in
      tenant.withSlice { tenant in
        name.withSlice { tenants.remove_host(host, tenant, $0, completion, call) }
      }
    }
  }

  /// The host names that lead to a tenant, in the order in which they were put; of the platform its own, which no app is
  /// given.
  ///
  /// - Throws: `HostError` `.notFound`.
  public func hosts(of tenant: String) async throws -> [HostState] {
    let (tenants, host) = try table()
    let reply = try await context.call { completion, call in
      tenant.withSlice { tenants.pointee.hosts(host, $0, completion, call) }
    }
    return try JSON.decode([HostState].self, from: reply)
  }

  /// What a tenant uses and what its plan lets it use, in the form that ext/tenants.h states, with the hours that begin
  /// at `start` or later and before `end`.
  ///
  /// - Throws: `HostError` `.notFound`.
  public func usage(of tenant: String, from start: Timestamp, to end: Timestamp) async throws
    -> RawJSON
  {
    let (tenants, host) = try table()
    return RawJSON(
      unchecked: try await context.call { completion, call in
        tenant.withSlice {
          tenants.pointee.usage(
            host, $0, start.unixMilliseconds, end.unixMilliseconds, completion, call)
        }
      })
  }

  private func table() throws -> (
    UnsafePointer<sluice_tenants_v1_t>, UnsafePointer<sluice_host_v1_t>
  ) {
    try context.link.require("sluice.tenants/1", sluice_tenants_v1_t.self)
  }

  private func call(
    _ function: (
      sluice_tenants_v1_t, UnsafePointer<sluice_host_v1_t>, sluice_completion_fn, UInt64
    ) -> sluice_status_t
  ) async throws {
    let (tenants, host) = try table()
    try await context.callForStatus { function(tenants.pointee, host, $0, $1) }
  }
}

/// A host name as it is in force.
public struct HostState: Sendable, Equatable, Decodable {
  /// In lower case, without port.
  public var host: String
  /// Of the certificate that is kept for it; nil without one.
  public var certificate: HostCertificate?
}

/// What a certificate says of itself.
public struct HostCertificate: Sendable, Equatable, Decodable {
  /// The DNS names that it is for, in lower case.
  public var names: [String]
  private var start: Int64
  private var end: Int64

  /// From when on it is valid.
  public var notBefore: Timestamp { Timestamp(unixMilliseconds: start) }
  /// The last second in which it is valid.
  public var notAfter: Timestamp { Timestamp(unixMilliseconds: end) }

  enum CodingKeys: String, CodingKey {
    case names
    case start = "not_before_ms"
    case end = "not_after_ms"
  }
}

/// A credential as the host knows it: never its secret, nor its digest.
public struct CredentialState: Sendable, Equatable, Decodable {
  /// "key_…"
  public var id: String
  /// "*" is all.
  public var scopes: [String]
  private var expiry: Int64
  private var lastUse: Int64

  /// nil is never.
  public var expiresAt: Timestamp? { expiry == 0 ? nil : Timestamp(unixMilliseconds: expiry) }
  /// To about two minutes; nil before the first time.
  public var lastUsedAt: Timestamp? { lastUse == 0 ? nil : Timestamp(unixMilliseconds: lastUse) }

  enum CodingKeys: String, CodingKey {
    case id, scopes
    case expiry = "expires_at_ms"
    case lastUse = "last_used_at_ms"
  }
}

/// A key that the host recognises by the SHA-256 of its text, so that the text is kept nowhere.
public struct Credential: Sendable, Equatable {
  /// "key_…"
  public var id: String
  /// SHA-256 of the whole credential as a client sends it: 32 bytes.
  public var digest: [UInt8]
  /// "*" is all.
  public var scopes: [String]
  /// nil is never.
  public var expiresAt: Timestamp?

  /// - Parameters:
  ///   - id: of the key, never the secret itself.
  ///   - digest: SHA-256 of the secret, 32 bytes.
  ///   - expiresAt: nil is never.
  public init(id: String, digest: [UInt8], scopes: [String], expiresAt: Timestamp? = nil) {
    self.id = id
    self.digest = digest
    self.scopes = scopes
    self.expiresAt = expiresAt
  }

  func withContract(
    _ body: (UnsafePointer<sluice_credential_v1_t>) -> sluice_status_t
  ) -> sluice_status_t {
    id.withSlice { id in
      digest.withSlice { digest in
        scopes.joined(separator: " ").withSlice { scopes in
          var value = sluice_credential_v1_t(
            id: id, digest: digest, scopes: scopes,
            expires_at_ms: expiresAt?.unixMilliseconds ?? 0)
          return body(&value)
        }
      }
    }
  }
}
