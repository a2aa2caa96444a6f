import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `An app` {
  private let ada = Principal.account("acc_ada")
  private let eve = Principal.account("acc_eve")

  @Test func `is made with a tenant, a signing secret and a key`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    #expect(app.id.hasPrefix("app_") && app.id.count == 30)
    #expect(app.name == "Shop" && app.plan == "trial")
    #expect(app.createdAt == "2026-01-01T00:00:00.000Z")
    let key = try #require(app.keys.first)
    #expect(app.keys.count == 1)
    let tenant = try #require(try await control.host.tenants.tenants[app.id])
    #expect(tenant.plan == "trial")
    #expect(tenant.secrets["tenant.signing"] == Array(app.signingSecret.utf8))
    let secret = try #require(tenant.credentials[key.id])
    #expect(secret.credential.scopes == ["*"])
    #expect(secret.credential.expiresAt == nil && secret.revokedAt == nil)
    #expect(secret.credential.digest == sha256(key.secret))
    let named = try #require(tenant.credentials[key.id + ".public"])
    #expect(named.credential.scopes == ["public"])
    #expect(named.credential.digest == sha256(key.key))
    #expect(tenant.credentials.count == 2)
    try await control.host.close()
  }

  @Test func `is read, renamed and listed by its owner`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let read = try await control.request("GET", "/v1/apps/\(app.id)")
    #expect(read.status == 200)
    #expect(!read.text.contains("secret") && !read.text.contains("keys"))
    let renamed = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"Market"}"#)
    #expect(try renamed.json(Listed.Element.self).name == "Market")
    let same = try await control.request("PATCH", "/v1/apps/\(app.id)", "{}")
    #expect(try same.json(Listed.Element.self).name == "Market")
    let list: Listed = try await control.request("GET", "/v1/apps").json()
    #expect(list.data.map(\.id) == [app.id])
    try await control.host.close()
  }

  private struct Planned: Decodable {
    struct Element: Decodable { var plan: String? }

    var data: [Element]
  }

  @Test func `is shown on the plan that the host has it on, whoever chose that`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    func shown() async throws -> [String?] {
      let read = try await control.request("GET", "/v1/apps/\(app.id)")
      let changed = try await control.request("PATCH", "/v1/apps/\(app.id)", "{}")
      let list: Planned = try await control.request("GET", "/v1/apps").json()
      return [
        try read.json(Planned.Element.self).plan, try changed.json(Planned.Element.self).plan,
      ] + list.data.map(\.plan)
    }
    #expect(try await shown() == ["trial", "trial", "trial"])
    var tenants = try await control.host.tenants
    tenants.tenants[app.id]?.plan = "gold"
    try await control.host.setTenants(tenants)
    #expect(try await shown() == ["gold", "gold", "gold"])
    try await control.host.close()
  }

  @Test func `is not made on a plan that there is not any more`() async throws {
    let control = try await ControlHost()
    var tenants = try await control.host.tenants
    tenants.plans = ["free"]
    try await control.host.setTenants(tenants)
    let reply = try await control.host.request(
      "POST", "/v1/apps", body: #"{"name":"x"}"#, as: .account("acc_ada"))
    #expect(reply.status >= 400)
    #expect(try await control.request("GET", "/v1/apps").json(Planned.self).data.isEmpty)
    #expect(try await control.host.tenants.tenants.isEmpty)
    try await control.host.close()
  }

  @Test func `is listed in pages, oldest first`() async throws {
    let control = try await ControlHost()
    var ids: [String] = []
    for name in ["a", "b", "c"] {
      ids.append(try await control.makeApp(name).id)
      try await control.host.advance(milliseconds: 5)
    }
    _ = try await control.makeApp("d", as: eve)
    let first: Listed = try await control.request("GET", "/v1/apps?limit=2").json()
    #expect(first.data.map(\.id) == Array(ids[..<2]))
    let after = try #require(first.next)
    let second: Listed = try await control.request("GET", "/v1/apps?limit=2&after=\(after)").json()
    #expect(second.data.map(\.id) == [ids[2]])
    #expect(second.next == nil)
    try await control.host.close()
  }

  @Test func `ends with its tenant, its keys and its place in the list`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    #expect(try await control.request("DELETE", "/v1/apps/\(app.id)").status == 204)
    #expect(try await control.host.tenants.tenants[app.id] == nil)
    #expect(try await control.request("GET", "/v1/apps/\(app.id)").status == 404)
    #expect(try await control.request("DELETE", "/v1/apps/\(app.id)").status == 404)
    #expect(try await control.request("GET", "/v1/apps").json(Listed.self).data.isEmpty)
    try await control.host.close()
  }

  @Test func `can be made so often by one account, and again when one was deleted`() async throws {
    let control = try await ControlHost()
    let first = try await control.makeApp()
    for _ in 0..<2 { _ = try await control.makeApp() }
    let reply = try await control.request("POST", "/v1/apps", #"{"name":"x"}"#)
    #expect(reply.status == 403)
    #expect(reply.problem?.code == "quota_exceeded")
    #expect(try await control.host.tenants.tenants.count == 3)
    _ = try await control.makeApp(as: eve)
    _ = try await control.request("DELETE", "/v1/apps/\(first.id)")
    _ = try await control.makeApp()
    try await control.host.close()
  }

  @Test(arguments: ["{}", #"{"name":""}"#, #"{"name":7}"#, #"{"name":"x","plan":"gold"}"#])
  func `is refused by the manifest without a name`(body: String) async throws {
    let control = try await ControlHost()
    #expect(try control.refuses("POST", "/v1/apps", body))
    try await control.host.close()
  }
}

@Suite struct `An app that is left half made` {
  @Test func `by a host that refuses is seen by nobody`() async throws {
    let control = try await ControlHost(without: "sluice.tenants/1")
    let reply = try await control.host.request(
      "POST", "/v1/apps", body: #"{"name":"x"}"#, as: .account("acc_ada"))
    #expect(reply.status == 500)
    #expect(try await control.request("GET", "/v1/apps").json(Listed.self).data.isEmpty)
    #expect(control.host.log.contains { $0.message.contains("taken back later") })
    try await control.host.close()
  }

  @Test func `is not put in the place of a tenant that has its id`() async throws {
    // The host's randomness repeats, so that the second app gets the id of the first.
    let first = try await ControlHost()
    let id = try await first.makeApp().id
    try await first.host.close()
    let second = try await ControlHost()
    var tenants = try await second.host.tenants
    tenants.tenants[id] = TestTenants.Tenant(hosts: ["shop.example"])
    try await second.host.setTenants(tenants)
    let reply = try await second.request("POST", "/v1/apps", #"{"name":"x"}"#)
    #expect(reply.status == 409)
    #expect(try await second.host.tenants.tenants[id]?.hosts == ["shop.example"])
    #expect(try await second.request("GET", "/v1/apps").json(Listed.self).data.isEmpty)
    try await second.host.close()
  }

  /// What a crash leaves: rows that are not `ready`, with or without a tenant, and a key that was let in
  /// but not shown. 1767225000000 is ten minutes before the test host's clock begins.
  private static let rows = """
    INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES
      ('app_a', 'acc_ada', 'a', 'free', 'creating', 1767225000000, 1767225000000),
      ('app_b', 'acc_ada', 'b', 'free', 'deleting', 1767225600000, 1767225600000),
      ('app_c', 'acc_ada', 'c', 'free', 'creating', 1767225600000, 1767225600000),
      ('app_d', 'acc_ada', 'd', 'free', 'ready', 1767225000000, 1767225000000);
    INSERT INTO control_members SELECT id, account_id, 'owner', created_at FROM control_apps;
    INSERT INTO control_keys (id, app_id, name, key, scopes, state, created_at, expires_at) VALUES
      ('key_a', 'app_a', 'k', 'pk_a', '["*"]', 'creating', 1767225000000, NULL),
      ('key_d', 'app_d', 'k', 'pk_d', '["*"]', 'creating', 1767225000000, NULL),
      ('key_e', 'app_d', 'k', 'pk_e', '["*"]', 'creating', 1767225600000, NULL),
      ('key_f', 'app_d', 'k', 'pk_f', '["*"]', 'deleting', 1767225600000, NULL);
    """

  @Test func `or half deleted is taken back at the start and from time to time`() async throws {
    var tenants = TestTenants()
    tenants.tenants["app_b"] = TestTenants.Tenant()
    tenants.tenants["app_c"] = TestTenants.Tenant()
    tenants.tenants["app_d"] = TestTenants.Tenant(
      credentials: [
        "key_d": TestTenants.Key(
          credential: Credential(
            id: "key_d", digest: [UInt8](repeating: 1, count: 32), scopes: ["*"])),
        "key_f": TestTenants.Key(
          credential: Credential(
            id: "key_f", digest: [UInt8](repeating: 2, count: 32), scopes: ["*"])),
      ])
    let control = try await ControlHost(rows: Self.rows, tenants: tenants)
    try await control.host.settle()
    let after = try await control.host.tenants.tenants
    // What is being deleted need not wait, however young.
    #expect(after["app_b"] == nil)
    #expect(after["app_d"]?.credentials["key_f"]?.revokedAt != nil)
    // Another loop may be at work on it: only what is five minutes old was abandoned.
    #expect(after["app_c"] != nil)
    #expect(after["app_d"]?.credentials["key_d"]?.revokedAt != nil)
    let list: Listed = try await control.request("GET", "/v1/apps").json()
    #expect(list.data.map(\.id) == ["app_d"])
    let keys: Listed = try await control.request("GET", "/v1/apps/app_d/keys").json()
    #expect(keys.data.isEmpty)
    // Of ada's three apps one is left and one is under way: there is room for one more.
    _ = try await control.makeApp()
    #expect(try await control.request("POST", "/v1/apps", #"{"name":"x"}"#).status == 403)
    // The sweep comes again when five minutes have passed.
    try await control.host.advance(milliseconds: 300_000)
    try await control.host.settle()
    #expect(try await control.host.tenants.tenants["app_c"] == nil)
    try await control.host.close()
  }

  /// What a listener is told of what the operator has done to an app.
  private static func note(_ action: String, _ outcome: String, of app: String) -> RawJSON {
    let text = #"""
      {"app":"\#(app)","actor_kind":"operator","actor":"root","address":"local","request_id":"opr_1",
       "action":"\#(action)","outcome":"\#(outcome)"}
      """#
    return RawJSON(unchecked: Array(text.utf8))
  }

  private static let tables = [
    "apps", "keys", "members", "invitations", "domains", "branding", "domain_claims",
  ]

  private func rows(of app: String, _ control: ControlHost) async throws -> Int {
    var count = 0
    for table in Self.tables {
      let column = table == "apps" ? "id" : "app_id"
      count += try await control.host.execute(
        "SELECT 1 FROM control_\(table) WHERE \(column) = '\(app)'"
      ).count
    }
    return count
  }

  @Test func `that the operator has deleted is gone for its owner, with all that there was of it`()
    async throws
  {
    let control = try await ControlHost()
    let (app, other) = (try await control.makeApp(), try await control.makeApp())
    for path in ["invitations", "branding", "domains/a.customers.example"] {
      let reply = try await control.request(
        path == "invitations" ? "POST" : "PUT", "/v1/apps/\(app.id)/\(path)",
        path == "invitations" ? #"{"email":"eve@example.test","role":"viewer"}"# : "{}")
      #expect((200...201).contains(reply.status), "\(path) \(reply.text)")
    }
    #expect(try await rows(of: app.id, control) >= 5)
    var tenants = try await control.host.tenants
    tenants.tenants[app.id] = nil
    try await control.host.setTenants(tenants)
    // At once, before anything is heard of it.
    var list: Listed = try await control.request("GET", "/v1/apps").json()
    #expect(list.data.map(\.id) == [other.id])
    for path in ["", "/keys", "/audit", "/members", "/usage"] {
      #expect(try await control.request("GET", "/v1/apps/\(app.id)\(path)").status == 404)
    }
    let deleted = try await control.host.deliver(
      "sluice.audit.noted", data: Self.note("app.deleted", "done", of: app.id))
    #expect(deleted == .ok)
    #expect(try await rows(of: app.id, control) == 0)
    #expect(try await control.request("DELETE", "/v1/apps/\(app.id)").status == 404)
    #expect(try await rows(of: other.id, control) > 0)
    list = try await control.request("GET", "/v1/apps").json()
    #expect(list.data.map(\.id) == [other.id])
    // It leaves room for another, of which an account has so many.
    _ = try await control.makeApp()
    _ = try await control.makeApp()
    try await control.host.close()
  }

  @Test func `whose deletion a crash has cut short is gone at the next sweep`() async throws {
    let control = try await ControlHost()
    let (app, other) = (try await control.makeApp(), try await control.makeApp())
    // Recorded, and not yet removed.
    let heard = try await control.host.deliver(
      "sluice.audit.noted", data: Self.note("app.deleted", "done", of: app.id))
    #expect(heard == .ok)
    #expect(try await rows(of: app.id, control) > 0)
    try await control.host.setTenants(TestTenants())
    try await control.host.advance(milliseconds: 300_000)
    try await control.host.settle()
    #expect(try await rows(of: app.id, control) == 0)
    // What the gateway has lost without a word is hidden, and comes back with it.
    #expect(try await control.request("GET", "/v1/apps/\(other.id)").status == 404)
    #expect(try await rows(of: other.id, control) > 0)
    try await control.host.setTenants(
      TestTenants(tenants: [other.id: TestTenants.Tenant(plan: "trial")]))
    #expect(try await control.request("GET", "/v1/apps/\(other.id)").status == 200)
    // Its owner need not wait for that.
    try await control.host.setTenants(TestTenants())
    #expect(try await control.request("DELETE", "/v1/apps/\(other.id)").status == 204)
    #expect(try await rows(of: other.id, control) == 0)
    try await control.host.close()
  }

  @Test func `that is there again when its deletion is heard of stays its owner's`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    for (action, outcome) in [
      ("app.deleted", "done"), ("app.deleted", "failed"), ("app.x", "done"),
    ] {
      let heard = try await control.host.deliver(
        "sluice.audit.noted", data: Self.note(action, outcome, of: app.id))
      #expect(heard == .ok)
    }
    #expect(try await control.request("GET", "/v1/apps/\(app.id)").status == 200)
    #expect(try await rows(of: app.id, control) > 0)
    try await control.host.close()
  }
}
