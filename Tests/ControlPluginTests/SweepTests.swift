import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `What was left half done` {
  /// Two apps, of one of which neither key nor departure can be put right.
  private static let rows = """
    INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES
      ('app_a', 'acc_ada', 'A', 'free', 'deleting', 1, 1),
      ('app_b', 'acc_ada', 'B', 'free', 'deleting', 1, 1),
      ('app_c', 'acc_ada', 'C', 'free', 'ready', 1, 1);
    INSERT INTO control_keys (id, app_id, name, key, scopes, state, created_at) VALUES
      ('key_a', 'app_c', 'k', 'pk_a', '["*"]', 'deleting', 1),
      ('key_b', 'app_c', 'k', 'pk_b', '["*"]', 'deleting', 1);
    INSERT INTO control_branding VALUES ('stuck', '{}', 1);
    INSERT INTO control_departures VALUES ('acc_bob', 1, '203.0.113.7', 'req_1', NULL);
    CREATE TRIGGER control_stuck_app BEFORE DELETE ON control_apps WHEN OLD.id = 'app_a'
      AND EXISTS (SELECT 1 FROM control_branding WHERE app_id = 'stuck') BEGIN
      SELECT RAISE(ABORT, 'stuck');
    END;
    CREATE TRIGGER control_stuck_key BEFORE DELETE ON control_keys WHEN OLD.id = 'key_a'
      AND EXISTS (SELECT 1 FROM control_branding WHERE app_id = 'stuck') BEGIN
      SELECT RAISE(ABORT, 'stuck');
    END;
    """

  @Test func `is taken back at once when whoever made it is gone`() async throws {
    // 7 is nobody who is alive; what says nothing of it is of before, and may be anybody's.
    let control = try await ControlHost(
      rows: """
        INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at, owner) VALUES
          ('app_a', 'acc_ada', 'A', 'free', 'creating', 1767225600000, 1767225600000, 7),
          ('app_b', 'acc_ada', 'B', 'free', 'creating', 1767225600000, 1767225600000, NULL),
          ('app_c', 'acc_ada', 'C', 'free', 'ready', 1, 1, NULL);
        INSERT INTO control_keys (id, app_id, name, key, scopes, state, created_at, owner) VALUES
          ('key_a', 'app_c', 'k', 'pk_a', '["*"]', 'creating', 1767225600000, 7),
          ('key_b', 'app_c', 'k', 'pk_b', '["*"]', 'creating', 1767225600000, NULL);
        """, tenants: TestTenants(tenants: ["app_a": .init(), "app_b": .init(), "app_c": .init()]))
    try await control.host.settle()
    #expect(
      try await control.host.execute("SELECT id FROM control_apps ORDER BY id")
        == [["app_b"], ["app_c"]])
    #expect(try await control.host.execute("SELECT id FROM control_keys") == [["key_b"]])
    #expect(try await control.host.tenants.tenants.keys.sorted() == ["app_b", "app_c"])
    try await control.host.close()
  }

  @Test func `is put right although something before it cannot be`() async throws {
    let tenants = TestTenants(
      tenants: ["app_a": TestTenants.Tenant(), "app_c": TestTenants.Tenant()])
    let control = try await ControlHost(rows: Self.rows, tenants: tenants)
    try await control.host.settle()
    func ids(_ query: String) async throws -> [String] {
      try await control.host.execute(query).map { $0[0] }
    }
    #expect(try await ids("SELECT id FROM control_apps ORDER BY id") == ["app_a", "app_c"])
    #expect(try await ids("SELECT id FROM control_keys ORDER BY id") == ["key_a"])
    #expect(try await ids("SELECT account_id FROM control_departures").isEmpty)
    let told = control.host.log.filter { $0.message.contains("it is tried again") }
    #expect(told.count == 2)
    // It is tried again, and works then.
    _ = try await control.host.execute("DELETE FROM control_branding")
    try await control.host.advance(milliseconds: 300_000)
    try await control.host.settle()
    #expect(try await ids("SELECT id FROM control_apps") == ["app_c"])
    #expect(try await ids("SELECT id FROM control_keys").isEmpty)
    try await control.host.close()
  }
}
