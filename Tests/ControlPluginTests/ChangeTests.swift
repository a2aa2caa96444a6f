import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

/// What is changed of an app in the gateway and in this plugin's tables, by requests side by side.
@Suite struct `Changes of one thing` {
  struct Change: Sendable, CustomTestStringConvertible {
    var subject: String
    var method: String
    /// Of the app; `{key}` is its key's id.
    var path: String
    var body = ""

    var testDescription: String { "\(method) \(path) \(body)" }
  }

  static let changes: [Change] = [
    Change(subject: "app", method: "PATCH", path: "", body: #"{"name":"Other"}"#),
    Change(
      subject: "app", method: "PATCH", path: "",
      body: #"{"allowed_origins":["https://b.example"]}"#),
    Change(subject: "key:{key}", method: "PATCH", path: "/keys/{key}", body: #"{"name":"x"}"#),
    Change(
      subject: "key:{key}", method: "PATCH", path: "/keys/{key}", body: #"{"scopes":["a.b"]}"#),
    Change(
      subject: "key:{key}", method: "POST", path: "/keys/{key}/rotate",
      body: #"{"grace_seconds":60}"#),
    Change(subject: "key:{key}", method: "DELETE", path: "/keys/{key}"),
    Change(
      subject: "plugin:chat", method: "PUT", path: "/plugins/chat", body: #"{"enabled":true}"#),
    Change(subject: "branding", method: "PUT", path: "/branding", body: #"{"name":"Other"}"#),
    Change(
      subject: "signing_secret", method: "POST", path: "/signing-secret/rotate",
      body: #"{"grace_seconds":0}"#),
    Change(
      subject: "domain:a.customers.example", method: "PUT", path: "/domains/a.customers.example",
      body: "{}"),
  ]

  @Test(arguments: changes)
  func `are made one after another, whoever makes the one before, and go on when that one is gone`(
    change: Change
  ) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first).id
    // Another generation of the plugin, or another process, is at work.
    var other: ChangeDesk? = try ChangeDesk(folder: control.host.world.filesFolder, owner: 99)
    #expect(other?.owner == 99)
    _ = try await control.host.execute(
      """
      INSERT INTO control_changes VALUES (
        '\(app.id)', '\(change.subject.replacing("{key}", with: key))', 'aud_1', 99, 1767225600000,
        '{"id":"aud_1","createdAt":"2026-01-01T00:00:00.000Z","app":"\(app.id)","actorKind":"account","actor":"acc_bob",
          "address":"192.0.2.1","requestID":"req_1","action":"x","outcome":"done"}', NULL)
      """)
    let tenant = try await control.host.tenants.tenants[app.id]
    let path = "/v1/apps/\(app.id)" + change.path.replacing("{key}", with: key)
    let refused = try await control.request(change.method, path, change.body)
    #expect(refused.status == 409 && refused.problem?.code == "conflict", "\(refused.text)")
    #expect(refused.header("retry-after") == "1")
    #expect(try await control.host.tenants.tenants[app.id] == tenant)
    #expect(try await control.log(of: app).count == 1)
    other = nil
    let made = try await control.request(change.method, path, change.body)
    #expect((200...204).contains(made.status), "\(made.text)")
    // What the other has left is ended first.
    let log = try await control.log(of: app).dropFirst()
    #expect(log.first?.actor == "acc_bob" && log.first?.outcome == "failed")
    #expect(log.last?.actor == "acc_ada" && log.last?.outcome == "done")
    #expect(try await control.host.execute("SELECT * FROM control_changes").isEmpty)
    try await control.host.close()
  }

  @Test func `keep what was given in between and what is not theirs`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first).id
    let path = "/v1/apps/\(app.id)"
    control.host.interpose("UPDATE control_keys SET scopes = '[\"a.b\"]' WHERE id = '\(key)'")
    #expect(
      try await control.request("PATCH", "\(path)/keys/\(key)", #"{"name":"web"}"#).status == 200)
    let row = try await control.host.execute("SELECT name, scopes FROM control_keys")
    #expect(row == [["web", #"["a.b"]"#]])
    let last = try #require(try await control.log(of: app).last)
    #expect(last.before?.text == #"{"name":"default","scopes":["a.b"]}"#)
    #expect(last.after?.text == #"{"name":"web","scopes":["a.b"]}"#)
    let origins = #"{"allowed_origins":["https://a.example"]}"#
    control.host.interpose("UPDATE control_apps SET name = 'Renamed'", after: 2)
    #expect(try await control.request("PATCH", path, origins).status == 200)
    #expect(try await control.request("GET", path).text.contains(#""name":"Renamed""#))
    try await control.host.close()
  }

  @Test func `are all in the log, each with what the one before has left`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let path = "/v1/apps/\(app.id)/plugins/chat"
    await withTaskGroup(of: Void.self) { group in
      for number in 1...20 {
        group.addTask {
          while true {
            let reply = try? await control.request(
              "PUT", path, #"{"enabled":true,"config":{"a":\#(number)}}"#)
            if reply?.status == 200 { return }
            #expect(reply?.status == 409)
            try? await Task.sleep(for: .milliseconds(1))
          }
        }
      }
    }
    let log = try await control.log(of: app, "&action=plugin.set&outcome=done")
    #expect(log.count == 20 && log[0].before == nil)
    for (former, next) in zip(log, log.dropFirst()) { #expect(next.before == former.after) }
    let now = try #require(try await control.host.tenants.tenants[app.id]?.plugins["chat"])
    #expect(log.last?.after?.text.contains(now.config.text.dropFirst().dropLast()) == true)
    try await control.host.close()
  }

  struct Late: Sendable, CustomTestStringConvertible {
    var method: String
    var path: String
    var body = ""
    /// What happens right before its last batch.
    var statement: String
    var testDescription: String { "\(method) \(path)" }
  }

  private static let isDeleted = "UPDATE control_apps SET state = 'deleting'"
  private static let isKeyless = "DELETE FROM control_keys"

  static let late: [Late] = [
    Late(
      method: "PATCH", path: "", body: #"{"allowed_origins":["https://a.example"]}"#,
      statement: isDeleted),
    Late(method: "PUT", path: "/branding", body: #"{"name":"x"}"#, statement: isDeleted),
    Late(method: "PUT", path: "/domains/a.customers.example", body: "{}", statement: isDeleted),
    Late(
      method: "PATCH", path: "/keys/{key}", body: #"{"scopes":["a.b"]}"#, statement: isKeyless),
    Late(method: "DELETE", path: "/keys/{key}", statement: isKeyless),
    Late(
      method: "POST", path: "/keys/{key}/rotate", body: #"{"grace_seconds":0}"#,
      statement: isKeyless),
  ]

  @Test(arguments: late)
  func `have failed when their last commit fails, and the log says so`(change: Late) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first).id
    let last = try await control.host.execute("SELECT 1 FROM control_audit").count
    control.host.interpose(change.statement, after: 2)
    let reply = try await control.request(
      change.method,
      "/v1/apps/\(app.id)\(change.path.replacing("{key}", with: key))", change.body)
    #expect(reply.status == 404, "\(reply.text)")
    let records = try await control.host.execute(
      "SELECT outcome FROM control_audit WHERE seq > \(last) ORDER BY seq")
    #expect(records == [["begun"], ["failed"]])
    #expect(try await control.host.execute("SELECT * FROM control_changes").isEmpty)
    let tenant = try await control.host.tenants.tenants[app.id]
    let rotated = tenant?.credentials.filter {
      $0.key.hasPrefix(key + ".") && $0.key != key + ".public" && $0.value.revokedAt == nil
    }
    #expect(rotated?.isEmpty == true)
    try await control.host.close()
  }

  @Test func `leave a name that was withdrawn meanwhile with nobody`() async throws {
    let rows = """
      INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES
        ('app_a', 'acc_ada', 'a', 'free', 'ready', 1767225000000, 1767225000000);
      INSERT INTO control_members VALUES ('app_a', 'acc_ada', 'owner', 1767225000000);
      INSERT INTO control_domain_claims VALUES
        ('a.customers.example', 'app_a', 'token', 1767225000000, 0, NULL, NULL);
      """
    let control = try await ControlHost(
      rows: rows, tenants: TestTenants(tenants: ["app_a": TestTenants.Tenant()]))
    try await control.host.settle()
    let path = "/v1/apps/app_a/domains/a.customers.example"
    control.host.interpose("DELETE FROM control_domain_claims")
    #expect(try await control.request("POST", path + "/verify").status == 404)
    #expect(try await control.host.tenants.tenants["app_a"]?.hosts == [])
    #expect(try await control.request("GET", path).status == 404)
    #expect(try await control.host.execute("SELECT 1 FROM control_audit").isEmpty)
    try await control.host.close()
  }

  @Test func `that another has made first are answered as if it were long ago`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let path = "/v1/apps/\(app.id)"
    let invited = try await control.request(
      "POST", path + "/invitations", #"{"email":"eve@example.test","role":"viewer"}"#)
    let invitation = try invited.json(Listed.Element.self).id
    control.host.interpose("DELETE FROM control_invitations")
    #expect(
      try await control.request("DELETE", "\(path)/invitations/\(invitation)").status == 404)
    control.host.interpose("UPDATE control_apps SET state = 'deleting'")
    #expect(try await control.request("POST", path + "/keys", #"{"name":"x"}"#).status == 404)
    try await control.host.close()
  }

  @Test func `of the signing secret keep so many old ones good, and end none before its time`()
    async throws
  {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let path = "/v1/apps/\(app.id)/signing-secret/rotate"
    func kept() async throws -> Int {
      let lines = try await control.host.tenants.tenants[app.id]?.secrets["tenant.signing.previous"]
      return lines?.count { $0 == 0x0A } ?? 0
    }
    for _ in 0..<4 {
      #expect(try await control.request("POST", path, #"{"grace_seconds":3600}"#).status == 200)
    }
    let before = try await control.host.tenants.tenants[app.id]?.secrets
    let fifth = try await control.request("POST", path, #"{"grace_seconds":3600}"#)
    #expect(fifth.status == 403 && fifth.problem?.code == "quota_exceeded")
    #expect(try await control.host.tenants.tenants[app.id]?.secrets == before)
    #expect(try await kept() == 4)
    #expect(try await control.log(of: app).last?.outcome == "failed")
    // Who has to shut a thief out is not told to wait.
    #expect(try await control.request("POST", path, #"{"grace_seconds":0}"#).status == 200)
    for _ in 0..<4 {
      #expect(try await control.request("POST", path, #"{"grace_seconds":3600}"#).status == 200)
    }
    try await control.host.advance(milliseconds: 3_600_000)
    #expect(try await control.request("POST", path, #"{"grace_seconds":3600}"#).status == 200)
    try await control.host.close()
  }

  @Test func `are known to be somebody's while whoever makes them is alive`() throws {
    let folder = try TestFiles.makeFolder()
    defer { TestFiles.removeFolder(folder) }
    let mine = try ChangeDesk(folder: folder, owner: ChangeDesk.number([1, 2, 3, 4, 5, 6, 7, 8]))
    var theirs: ChangeDesk? = try ChangeDesk(
      folder: folder, owner: ChangeDesk.number([UInt8](repeating: 255, count: 8)))
    let owner = try #require(theirs).owner
    #expect(mine.owner != owner && mine.owner > 0)
    #expect(mine.isUnderway("aud_1", of: owner))
    #expect(!mine.isUnderway("aud_1", of: owner - 1))
    #expect(!mine.isUnderway("aud_1", of: mine.owner))
    #expect(mine.enter("aud_1") && !mine.enter("aud_1"))
    #expect(mine.isUnderway("aud_1", of: mine.owner))
    #expect(theirs?.isUnderway("aud_2", of: mine.owner) == true)
    mine.leave("aud_1")
    #expect(!mine.isUnderway("aud_1", of: mine.owner))
    theirs = nil
    #expect(!mine.isUnderway("aud_1", of: owner))
  }
}
