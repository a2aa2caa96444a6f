internal import Store

/// The gateway's own tables in `control.sqlite`, all of them: their owner is ``Owner/host``, whose migrations are
/// numbered in one row, so whatever else the gateway keeps there is added to the end of this list.
enum ControlSchema {
  // `Migration` alone is a plugin's, as its manifest declares it.
  static let migrations: [Store::Migration] = [
    .init(
      version: 1, name: "tenants",
      sql: """
        CREATE TABLE sluice_tenants (
          id TEXT NOT NULL PRIMARY KEY,
          revision BIGINT NOT NULL,
          created_at BIGINT NOT NULL
        );
        CREATE TABLE sluice_tenant_plugins (
          tenant TEXT NOT NULL REFERENCES sluice_tenants (id) ON DELETE CASCADE,
          plugin TEXT NOT NULL,
          enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
          config TEXT NOT NULL,
          PRIMARY KEY (tenant, plugin)
        );
        CREATE TABLE sluice_tenant_hosts (
          host TEXT NOT NULL PRIMARY KEY,
          tenant TEXT NOT NULL REFERENCES sluice_tenants (id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          UNIQUE (tenant, position)
        );
        CREATE TABLE sluice_tenant_keys (
          tenant TEXT NOT NULL REFERENCES sluice_tenants (id) ON DELETE CASCADE,
          id TEXT NOT NULL,
          digest BLOB NOT NULL UNIQUE,
          scopes TEXT NOT NULL,
          expires_at BIGINT NOT NULL,
          PRIMARY KEY (tenant, id)
        );
        -- Static tenants, which have no row of their own, keep secrets too.
        CREATE TABLE sluice_secrets (
          tenant TEXT NOT NULL,
          name TEXT NOT NULL,
          sealed BLOB NOT NULL,
          PRIMARY KEY (tenant, name)
        );
        -- A known value under the sealing key: tells a wrong key before anything is built on it.
        CREATE TABLE sluice_seal (
          name TEXT NOT NULL PRIMARY KEY,
          sealed BLOB NOT NULL
        );
        """),
    .init(
      version: 2, name: "removed",
      sql: """
        -- Tenants that are removed, until their files are.
        CREATE TABLE sluice_removed (tenant TEXT NOT NULL PRIMARY KEY);
        """),
    .init(
      version: 3, name: "origins",
      sql: """
        CREATE TABLE sluice_tenant_origins (
          tenant TEXT NOT NULL REFERENCES sluice_tenants (id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          origin TEXT NOT NULL,
          PRIMARY KEY (tenant, position)
        );
        """),
    .init(
      version: 4, name: "key_uses",
      sql: """
        -- When credentials were used last, those of static tenants too.
        CREATE TABLE sluice_key_uses (
          tenant TEXT NOT NULL,
          id TEXT NOT NULL,
          used_at BIGINT NOT NULL,
          PRIMARY KEY (tenant, id)
        );
        """),
    .init(
      version: 5, name: "plugin_versions",
      sql: """
        -- NULL is whichever version is the standard one.
        ALTER TABLE sluice_tenant_plugins ADD COLUMN version TEXT;
        """),
    .init(
      version: 6, name: "usage",
      sql: """
        -- What an app has used in an hour, counted from 1970. Tenants of files have no row of their own.
        CREATE TABLE sluice_usage (
          tenant TEXT NOT NULL,
          hour BIGINT NOT NULL,
          requests BIGINT NOT NULL,
          messages BIGINT NOT NULL,
          connections BIGINT NOT NULL,
          PRIMARY KEY (tenant, hour)
        );
        CREATE INDEX sluice_usage_hour ON sluice_usage (hour);
        CREATE TABLE sluice_tenant_plans (
          tenant TEXT NOT NULL PRIMARY KEY,
          plan TEXT NOT NULL
        );
        """),
    .init(
      version: 7, name: "alarms",
      sql: """
        -- When plugins are woken, those of static tenants too. try_at is wake_at until a wake-up has failed, or finds the
        -- plugin switched off.
        CREATE TABLE sluice_alarms (
          tenant TEXT NOT NULL,
          plugin TEXT NOT NULL,
          wake_at BIGINT NOT NULL,
          try_at BIGINT NOT NULL,
          failures INTEGER NOT NULL,
          PRIMARY KEY (tenant, plugin)
        );
        CREATE INDEX sluice_alarms_try_at ON sluice_alarms (try_at);
        """),
    .init(
      version: 8, name: "alarms_by_plugin",
      sql: """
        -- For the first of each plugin, however many one has.
        CREATE INDEX sluice_alarms_plugin ON sluice_alarms (plugin, try_at);
        """),
  ]
}
