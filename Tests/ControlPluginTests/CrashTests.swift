import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

/// A crash between the record that begins a change and the one that says how it ended. 7 is nobody who is alive.
@Suite struct `A change that a crash has cut off` {
  private static let app = """
    INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES
      ('app_a', 'acc_ada', 'Shop', 'free', 'ready', 1767225000000, 1767225000000);
    INSERT INTO control_members VALUES ('app_a', 'acc_ada', 'owner', 1767225000000);
    INSERT INTO control_keys (id, app_id, name, key, scopes, state, created_at) VALUES
      ('key_a', 'app_a', 'k', 'pk_a', '["*"]', 'ready', 1767225000000);
    INSERT INTO control_branding VALUES ('app_a', '{"name":"Old","colors":{}}', 1);
    INSERT INTO control_domains (host, app_id, created_at) VALUES ('old.customers.example', 'app_a', 1000);
    INSERT INTO control_domain_claims VALUES
      ('new.customers.example', 'app_a', 'token', 1767225000000, 0, NULL, NULL);
    """

  /// A moment ago, when the test host's clock begins.
  private static func row(
    _ subject: String, _ action: String, before: String? = nil, intent: String?
  ) -> String {
    let former = before.map { #","before":\#($0)"# } ?? ""
    return """
      INSERT INTO control_changes VALUES ('app_a', '\(subject)', 'aud_1', 7, 1767225600000,
        '{"id":"aud_1","createdAt":"2026-01-01T00:00:00.000Z","app":"app_a","actorKind":"account","actor":"acc_bob",
          "address":"192.0.2.1","requestID":"req_1","action":"\(action)","outcome":"done"\(former)}',
        \(intent.map { "'\($0)'" } ?? "NULL"));
      """
  }

  private static let key = Credential(
    id: "key_a", digest: [UInt8](repeating: 1, count: 32), scopes: ["*"])
  private static let second = Credential(
    id: "key_a.1", digest: [UInt8](repeating: 2, count: 32), scopes: ["*"])

  private static var tenant: TestTenants.Tenant {
    TestTenants.Tenant(
      plugins: ["chat": TestTenants.Plugin(isEnabled: true, config: #"{"a":1}"#)],
      credentials: [
        "key_a": TestTenants.Key(credential: key), "key_a.1": TestTenants.Key(credential: second),
      ],
      secrets: [
        "tenant.signing": Array("ss_old".utf8),
        "tenant.branding": Array(#"{"name":"Old","colors":{}}"#.utf8),
      ],
      hosts: ["old.customers.example"])
  }

  /// Starts with what the crash has left; when this returns it is settled.
  private func start(
    _ row: String, _ change: (inout TestTenants.Tenant) -> Void = { _ in }
  ) async throws -> ControlHost {
    var tenant = Self.tenant
    change(&tenant)
    let control = try await ControlHost(
      rows: Self.app + row, tenants: TestTenants(tenants: ["app_a": tenant]))
    try await control.host.settle()
    #expect(try await control.host.execute("SELECT * FROM control_changes").isEmpty)
    return control
  }

  private func last(_ control: ControlHost) async throws -> Logged {
    let page: LoggedPage = try await control.request("GET", "/v1/apps/app_a/audit").json()
    #expect(page.data.count == 1)
    let record = try #require(page.data.first)
    #expect(record.actor == "acc_bob")
    return record
  }

  private func expectFailed(_ control: ControlHost) async throws {
    let record = try await last(control)
    #expect(record.outcome == "failed" && record.before == nil && record.after == nil)
    #expect(record.reason?.contains("cut off") == true)
  }

  private func tenant(_ control: ControlHost) async throws -> TestTenants.Tenant {
    try #require(try await control.host.tenants.tenants["app_a"])
  }

  @Test(arguments: [
    ("app", "app.changed"), ("branding", "branding.changed"), ("key:key_a", "key.deleted"),
    ("plugin:chat", "plugin.set"), ("signing_secret", "signing_secret.rotated"),
    ("domain:new.customers.example", "domain.changed"),
  ])
  func `before it asked anything of the gateway has failed`(subject: String, action: String)
    async throws
  {
    let control = try await start(Self.row(subject, action, intent: nil))
    try await expectFailed(control)
    #expect(try await tenant(control) == Self.tenant)
    try await control.host.close()
  }

  @Test func `in the origins is done with the name that came with it where they are in force`()
    async throws
  {
    let row = Self.row(
      "app", "app.changed", before: #"{"name":"Shop","allowed_origins":[]}"#,
      intent: #"{"name":"Market","allowed_origins":["https://a.example"]}"#)
    let made = try await start(row) { $0.origins = ["https://a.example"] }
    let record = try await last(made)
    #expect(record.outcome == "done")
    #expect(record.before?.text == #"{"name":"Shop","allowed_origins":[]}"#)
    #expect(record.after?.text == #"{"name":"Market","allowed_origins":["https://a.example"]}"#)
    #expect(try await made.request("GET", "/v1/apps/app_a").text.contains("Market"))
    try await made.host.close()
    let unmade = try await start(row)
    try await expectFailed(unmade)
    #expect(try await unmade.request("GET", "/v1/apps/app_a").text.contains("Shop"))
    try await unmade.host.close()
  }

  @Test func `in a plugin's settings is done where they are in force, be it a secret alone`()
    async throws
  {
    let before = #"{"id":"chat","version":"0.0.0","enabled":true,"config":{"a":1}}"#
    let row = Self.row("plugin:chat", "plugin.set", before: before, intent: #"{"former":"1"}"#)
    let made = try await start(row) { $0.plugins["chat"]?.revision = 2 }
    let record = try await last(made)
    #expect(record.outcome == "done" && record.before?.text == before)
    #expect(record.after?.text == before)
    try await made.host.close()
    let unmade = try await start(row)
    try await expectFailed(unmade)
    try await unmade.host.close()
  }

  @Test func `in a key's scopes is made whole where one of its secrets has them`() async throws {
    let row = Self.row(
      "key:key_a", "key.changed", before: #"{"name":"k","scopes":["*"]}"#,
      intent: #"{"change":{"scopes":["a.b"]}}"#)
    let made = try await start(row) { $0.credentials["key_a"]?.credential.scopes = ["a.b"] }
    #expect(try await last(made).after?.text == #"{"name":"k","scopes":["a.b"]}"#)
    #expect(
      try await tenant(made).credentials.values.map(\.credential.scopes) == [["a.b"], ["a.b"]])
    #expect(try await made.host.execute("SELECT scopes FROM control_keys") == [[#"["a.b"]"#]])
    try await made.host.close()
    let unmade = try await start(row)
    try await expectFailed(unmade)
    #expect(try await unmade.host.execute("SELECT scopes FROM control_keys") == [[#"["*"]"#]])
    try await unmade.host.close()
  }

  @Test func `in the deletion of a key is finished`() async throws {
    let control = try await start(
      Self.row(
        "key:key_a", "key.deleted", before: #"{"name":"k","scopes":["*"]}"#, intent: "{}"))
    let record = try await last(control)
    #expect(record.outcome == "done" && record.after == nil)
    #expect(try await tenant(control).credentials.values.allSatisfy { $0.revokedAt != nil })
    let keys: Listed = try await control.request("GET", "/v1/apps/app_a/keys").json()
    #expect(keys.data.isEmpty)
    try await control.host.close()
  }

  @Test func `in a key's rotation is taken back, for nobody has the secret`() async throws {
    let control = try await start(
      Self.row("key:key_a", "key.rotated", intent: #"{"credential":"key_a.1"}"#))
    try await expectFailed(control)
    let credentials = try await tenant(control).credentials
    #expect(credentials["key_a"]?.revokedAt == nil && credentials["key_a.1"]?.revokedAt != nil)
    let rotation = try await control.request(
      "POST", "/v1/apps/app_a/keys/key_a/rotate", #"{"grace_seconds":0}"#)
    #expect(rotation.status == 200)
    try await control.host.close()
  }

  @Test func `behind a key's rotation ends its old secrets all the same`() async throws {
    let control = try await start(
      """
      UPDATE control_keys SET credential = 'key_a.1', previous_credential = 'key_a',
        previous_until = 1767225599000, unsettled = 1;
      """)
    let credentials = try await tenant(control).credentials
    #expect(credentials["key_a"]?.revokedAt != nil && credentials["key_a.1"]?.revokedAt == nil)
    try await control.host.close()
  }

  @Test func `in the signing secret's rotation is taken back, for nobody has the secret`()
    async throws
  {
    let digest = sha256("ss_new").map(String.init).joined(separator: ",")
    let row = Self.row(
      "signing_secret", "signing_secret.rotated",
      before: #"{"rotated_at":"2026-01-01T00:00:00.000Z"}"#, intent: #"{"digest":[\#(digest)]}"#)
    let made = try await start(row) {
      let isRotated = $0.rotate("tenant.signing", Array("ss_new".utf8), until: 0, at: 1)
      #expect(isRotated)
    }
    try await expectFailed(made)
    #expect(try await tenant(made).secrets == Self.tenant.secrets)
    try await made.host.close()
    let unmade = try await start(row) {
      let isRotated = $0.rotate("tenant.signing", Array("ss_other".utf8), until: 0, at: 1)
      #expect(isRotated)
    }
    try await expectFailed(unmade)
    #expect(try await tenant(unmade).secrets["tenant.signing"] == Array("ss_other".utf8))
    try await unmade.host.close()
  }

  @Test func `in how the app looks is finished on both sides`() async throws {
    let control = try await start(
      Self.row(
        "branding", "branding.changed", before: #"{"name":"Old","colors":{}}"#,
        intent: #"{"name":"New","colors":{}}"#))
    #expect(try await last(control).after?.text == #"{"name":"New","colors":{}}"#)
    let page = try await control.request("GET", "/v1/apps/app_a/branding").text
    #expect(page == #"{"name":"New","colors":{}}"#)
    #expect(try await tenant(control).secrets["tenant.branding"] == Array(page.utf8))
    try await control.host.close()
  }

  @Test func `in a domain is listed as it is served`() async throws {
    let new = Self.row("domain:new.customers.example", "domain.changed", intent: "{}")
    let led = try await start(new) { $0.hosts.append("new.customers.example") }
    #expect(try await last(led).outcome == "done")
    let shown = try await led.request("GET", "/v1/apps/app_a/domains/new.customers.example")
    #expect(shown.text.contains(#""state":"proven""#))
    try await led.host.close()
    let unled = try await start(new)
    try await expectFailed(unled)
    let left = try await unled.request("GET", "/v1/apps/app_a/domains/new.customers.example")
    #expect(left.text.contains(#""state":"pending""#))
    try await unled.host.close()
    let before = #"""
      {"host":"old.customers.example","state":"proven","created_at":"1970-01-01T00:00:01.000Z"}
      """#
    let end = Self.row(
      "domain:old.customers.example", "domain.removed", before: before, intent: "{}")
    let gone = try await start(end) { $0.hosts = [] }
    #expect(try await last(gone).outcome == "done")
    #expect(
      try await gone.request("GET", "/v1/apps/app_a/domains/old.customers.example").status == 404)
    try await gone.host.close()
    let kept = try await start(end)
    try await expectFailed(kept)
    #expect(
      try await kept.request("GET", "/v1/apps/app_a/domains/old.customers.example").status == 200)
    try await kept.host.close()
    let renewed = try await start(
      Self.row("domain:old.customers.example", "domain.changed", before: before, intent: "{}")
    ) { $0.certificates["old.customers.example"] = Array("CHAIN".utf8) }
    #expect(try await last(renewed).after?.text.contains("not_after") == true)
    #expect(
      try await renewed.host.execute(
        "SELECT created_at FROM control_domains WHERE certificate_names IS NOT NULL") == [["1000"]])
    try await renewed.host.close()
  }

  @Test func `of an app that has gone meanwhile has failed, and keeps nobody`() async throws {
    var row = Self.row("branding", "branding.changed", intent: #"{"colors":{}}"#)
    row += "UPDATE control_apps SET state = 'deleting';"
    let control = try await ControlHost(
      rows: Self.app + row, tenants: TestTenants(tenants: ["app_a": Self.tenant]))
    try await control.host.settle()
    let records = try await control.host.execute("SELECT action, outcome FROM control_audit")
    #expect(records == [["branding.changed", "failed"]])
    #expect(try await control.host.execute("SELECT * FROM control_changes").isEmpty)
    #expect(try await control.host.tenants.tenants["app_a"] == nil)
    try await control.host.close()
  }

  @Test func `is settled before the next of the same begins, whoever has not looked yet`()
    async throws
  {
    let control = try await start("")
    _ = try await control.host.execute(
      Self.row(
        "plugin:chat", "plugin.set", before: #"{"id":"chat"}"#, intent: #"{"former":"0"}"#))
    let reply = try await control.request(
      "PUT", "/v1/apps/app_a/plugins/chat", #"{"enabled":true,"config":{"a":2}}"#)
    #expect(reply.status == 200)
    let page: LoggedPage = try await control.request("GET", "/v1/apps/app_a/audit").json()
    #expect(page.data.map(\.outcome) == ["done", "begun", "done"])
    #expect(page.data[0].before == page.data[2].after)
    try await control.host.close()
  }
}
