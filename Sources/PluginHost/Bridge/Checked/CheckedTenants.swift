internal import CSluice

extension TenantsBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_tenants_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_tenants_v1_t>.size), reserved: 0,
      create: { host, tenant, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 create")
          ?? plain.create(host, tenant, completion, context)
      },
      remove: { host, tenant, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 remove")
          ?? plain.remove(host, tenant, completion, context)
      },
      installed: { host in
        CallCheck.onLoop(host, "sluice.tenants/1 installed") == nil
          ? plain.installed(host) : .absent
      },
      plugins: { host, tenant in
        CallCheck.onLoop(host, "sluice.tenants/1 plugins") == nil
          ? plain.plugins(host, tenant) : .absent
      },
      set_plugin: { host, tenant, plugin, enabled, config, version, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 set_plugin")
          ?? plain.set_plugin(
            host, tenant, plugin, enabled, config, version, completion, context)
      },
      put_credential: { host, tenant, credential, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 put_credential")
          ?? plain.put_credential(host, tenant, credential, completion, context)
      },
      revoke_credential: { host, tenant, credential, at, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 revoke_credential")
          ?? plain.revoke_credential(host, tenant, credential, at, completion, context)
      },
      put_secret: { host, tenant, name, value, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 put_secret")
          ?? plain.put_secret(host, tenant, name, value, completion, context)
      },
      set_hosts: { host, tenant, hosts, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 set_hosts")
          ?? plain.set_hosts(host, tenant, hosts, completion, context)
      },
      set_origins: { host, tenant, origins, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 set_origins")
          ?? plain.set_origins(host, tenant, origins, completion, context)
      },
      origins: { host, tenant in
        CallCheck.onLoop(host, "sluice.tenants/1 origins") == nil
          ? plain.origins(host, tenant) : .absent
      },
      credentials: { host, tenant in
        CallCheck.onLoop(host, "sluice.tenants/1 credentials") == nil
          ? plain.credentials(host, tenant) : .absent
      },
      set_scopes: { host, tenant, id, scopes, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 set_scopes")
          ?? plain.set_scopes(host, tenant, id, scopes, completion, context)
      },
      rotate_secret: { host, tenant, name, value, until, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 rotate_secret")
          ?? plain.rotate_secret(host, tenant, name, value, until, completion, context)
      },
      put_host: { host, tenant, name, chain, key, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 put_host")
          ?? plain.put_host(host, tenant, name, chain, key, completion, context)
      },
      remove_host: { host, tenant, name, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 remove_host")
          ?? plain.remove_host(host, tenant, name, completion, context)
      },
      usage: { host, tenant, from, to, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 usage")
          ?? plain.usage(host, tenant, from, to, completion, context)
      },
      hosts: { host, tenant, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 hosts")
          ?? plain.hosts(host, tenant, completion, context)
      },
      create_on: { host, tenant, plan, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 create_on")
          ?? plain.create_on(host, tenant, plan, completion, context)
      },
      plan: { host, tenant in
        CallCheck.onLoop(host, "sluice.tenants/1 plan") == nil
          ? plain.plan(host, tenant) : .absent
      },
      take_back_secret: { host, tenant, name, digest, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 take_back_secret")
          ?? plain.take_back_secret(host, tenant, name, digest, completion, context)
      },
      check_plugin: { host, tenant, plugin, enabled, config, version, completion, context in
        CallCheck.onLoop(host, "sluice.tenants/1 check_plugin")
          ?? plain.check_plugin(
            host, tenant, plugin, enabled, config, version, completion, context)
      }))
}
