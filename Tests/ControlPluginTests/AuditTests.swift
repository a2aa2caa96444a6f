import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `The audit log` {
  @Test func `tells who did what, with what was and what is`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    _ = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"Market"}"#)
    _ = try await control.request(
      "PATCH", "/v1/apps/\(app.id)", #"{"allowed_origins":["https://a.example"]}"#)
    _ = try await control.request(
      "PUT", "/v1/apps/\(app.id)/plugins/chat", #"{"enabled":true,"config":{"a":1}}"#)
    let key = try #require(app.keys.first)
    _ = try await control.request("DELETE", "/v1/apps/\(app.id)/keys/\(key.id)")
    let log = try await control.log(of: app)
    #expect(
      log.map { "\($0.action) \($0.outcome)" } == [
        "app.created done", "app.changed done", "app.changed begun", "app.changed done",
        "plugin.set begun", "plugin.set done", "key.deleted begun", "key.deleted done",
      ])
    #expect(log.allSatisfy { $0.actor == "acc_ada" })
    #expect(log[1].before?.text == #"{"name":"Shop","allowed_origins":[]}"#)
    #expect(log[1].after?.text == #"{"name":"Market","allowed_origins":[]}"#)
    #expect(log[3].after?.text.contains("https://a.example") == true)
    #expect(log[5].target == "chat" && log[5].after?.text.contains(#""a":1"#) == true)
    #expect(log[7].target == key.id && log[7].before?.text.contains("default") == true)
    try await control.host.close()
  }

  private struct Secret: Decodable {
    var credential: String?
    var fingerprint: String?
    var rotatedAt: String?
    var expiresAt: String?
    var previousExpiresAt: String?

    enum CodingKeys: String, CodingKey {
      case credential, fingerprint
      case rotatedAt = "rotated_at"
      case expiresAt = "expires_at"
      case previousExpiresAt = "previous_expires_at"
    }
  }

  /// What the records of an action tell of secrets, before and after each.
  private func secrets(
    of app: MadeApp, _ action: String, in control: ControlHost
  ) async throws -> [(before: Secret, after: Secret)] {
    try await control.log(of: app, "&action=\(action)&outcome=done").map {
      (try #require($0.before).decode(), try #require($0.after).decode())
    }
  }

  @Test func `tells of rotated keys which secret was good before, and which is`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let made = try await control.request(
      "POST", "/v1/apps/\(app.id)/keys", #"{"name":"ci","expires_at":"2026-02-01T00:00:00Z"}"#)
    let key = try made.json(Listed.Element.self).id
    for _ in 0..<2 {
      try await control.host.advance(milliseconds: 1_000)
      let reply = try await control.request(
        "POST", "/v1/apps/\(app.id)/keys/\(key)/rotate", #"{"grace_seconds":60}"#)
      #expect(reply.status == 200)
    }
    let records = try await secrets(of: app, "key.rotated", in: control)
    try #require(records.count == 2)
    let (first, second) = (records[0], records[1])
    #expect(first.before.credential == key && first.before.rotatedAt == nil)
    #expect(first.before.expiresAt == "2026-02-01T00:00:00.000Z")
    #expect(first.after.rotatedAt == "2026-01-01T00:00:01.000Z")
    #expect(first.after.previousExpiresAt == "2026-01-01T00:01:01.000Z")
    #expect(first.after.credential?.hasPrefix(key + ".") == true)
    #expect(second.before.credential == first.after.credential)
    #expect(second.before.rotatedAt == first.after.rotatedAt)
    #expect(second.before.previousExpiresAt == first.after.previousExpiresAt)
    #expect(second.after.credential != first.after.credential)
    try await control.host.close()
  }

  @Test func `tells of a rotated signing secret which it was and which it is, and neither itself`()
    async throws
  {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    var known = [app.signingSecret]
    for _ in 0..<2 {
      try await control.host.advance(milliseconds: 1_000)
      let reply = try await control.request(
        "POST", "/v1/apps/\(app.id)/signing-secret/rotate", #"{"grace_seconds":60}"#)
      struct Answer: Decodable {
        var secret: String
        enum CodingKeys: String, CodingKey { case secret = "signing_secret" }
      }
      known.append(try reply.json(Answer.self).secret)
    }
    let fingerprints = known.map { Array(sha256($0)[..<6]).hexadecimal }
    let records = try await secrets(of: app, "signing_secret.rotated", in: control)
    try #require(records.count == 2)
    #expect(records.map(\.before.fingerprint) == Array(fingerprints[..<2]))
    #expect(records.map(\.after.fingerprint) == Array(fingerprints[1...]))
    #expect(records[0].before.rotatedAt == app.createdAt)
    #expect(records[0].before.previousExpiresAt == nil)
    #expect(records[1].before.rotatedAt == "2026-01-01T00:00:01.000Z")
    #expect(records[1].before.previousExpiresAt == "2026-01-01T00:01:01.000Z")
    let text = try await control.request("GET", "/v1/apps/\(app.id)/audit").text
    #expect(known.allSatisfy { !text.contains($0) && !text.contains($0.dropFirst(3).prefix(8)) })
    try await control.host.close()
  }

  @Test func `knows when a signing secret was rotated before fingerprints were noted`() async throws
  {
    let control = try await ControlHost(
      rows: """
        INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES
          ('app_a', 'acc_ada', 'a', 'free', 'ready', 1767225000000, 1767225000000);
        INSERT INTO control_members VALUES ('app_a', 'acc_ada', 'owner', 1767225000000);
        INSERT INTO control_audit VALUES (1, 'aud_1', 1767225001000, 'app_a', 'account', 'acc_ada', '127.0.0.1', 'r',
          'signing_secret.rotated', 'done', NULL, NULL, '{"previous_expires_at":"2026-01-01T00:00:00.000Z"}',
          printf('%064d', 0), printf('%064d', 1), NULL);
        """, tenants: TestTenants(tenants: ["app_a": TestTenants.Tenant()]))
    let reply = try await control.request(
      "POST", "/v1/apps/app_a/signing-secret/rotate", #"{"grace_seconds":60}"#)
    #expect(reply.status == 200)
    let page: LoggedPage = try await control.request(
      "GET", "/v1/apps/app_a/audit?action=signing_secret.rotated&outcome=done"
    ).json()
    #expect(page.data.first?.before?.text == #"{"rotated_at":"2025-12-31T23:50:01.000Z"}"#)
    try await control.host.close()
  }

  @Test func `has what others on the platform have noted, in the one chain`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    func note(_ outcome: String, _ more: String = "") -> RawJSON {
      let text = #"""
        {"app":"\#(app.id)","actor_kind":"operator","actor":"root","address":"local","request_id":"opr_1",
         "action":"app.plan_changed","outcome":"\#(outcome)"\#(more)}
        """#
      return RawJSON(unchecked: Array(text.utf8))
    }
    let host = control.host
    #expect(try await host.deliver("sluice.audit.noted", data: note("begun")) == .ok)
    let why = #","reason":"no such plan""#
    #expect(try await host.deliver("sluice.audit.noted", data: note("failed", why)) == .ok)
    let change = #","before":{"plan":"free"},"after":{"plan":"gold"}"#
    #expect(try await host.deliver("other.audit.noted", data: note("done", change)) == .ok)
    _ = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"Market"}"#)
    let log = try await control.log(of: app)
    #expect(
      log.map { "\($0.action) \($0.outcome) \($0.actor)" } == [
        "app.created done acc_ada", "app.plan_changed begun root", "app.plan_changed failed root",
        "app.plan_changed done root", "app.changed done acc_ada",
      ])
    #expect(log.map(\.reason) == [nil, nil, "no such plan", nil, nil])
    #expect(log[3].before?.text == #"{"plan":"free"}"# && log[3].after?.text == #"{"plan":"gold"}"#)
    for (former, next) in zip(log, log.dropFirst()) { #expect(next.previousHash == former.hash) }
    let events = try await host.events.filter { $0.type == "control.audit.recorded" }
    #expect(events.count == 5)
    try await host.close()
  }

  @Test(arguments: ["{}", "[]", #"{"app":"app_x","outcome":"dreamt"}"#])
  func `is not held up by a note that cannot be read`(note: String) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let outcome = try await control.host.deliver(
      "other.audit.noted", data: RawJSON(unchecked: Array(note.utf8)))
    #expect(outcome == .ok)
    #expect(control.host.log.contains { $0.message.contains("cannot be read") })
    #expect(try await control.log(of: app).count == 1)
    try await control.host.close()
  }

  @Test func `holds no secret`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let made = try await control.request("POST", "/v1/apps/\(app.id)/keys", #"{"name":"ci"}"#)
    #expect(made.status == 201)
    let text = try await control.request("GET", "/v1/apps/\(app.id)/audit").text
    #expect(!text.contains("sk_") && !text.contains("ss_"))
    let events = try await control.host.events.filter { $0.type == "control.audit.recorded" }
    #expect(events.count == 2)
    #expect(events.allSatisfy { !$0.data.text.contains("sk_") && !$0.data.text.contains("ss_") })
    try await control.host.close()
  }

  @Test func `binds every entry to the one before it`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    for name in ["a", "b", "c"] {
      _ = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"\#(name)"}"#)
    }
    _ = try await control.makeApp(as: .account("acc_eve"))
    _ = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"d"}"#)
    let log = try await control.log(of: app)
    #expect(log.map(\.seq) == [1, 2, 3, 4, 6])
    #expect(log[0].previousHash == String(repeating: "0", count: 64))
    for (former, next) in zip(log.prefix(4), log.prefix(4).dropFirst()) {
      #expect(next.previousHash == former.hash)
    }
    #expect(Set(log.map(\.hash)).count == 5)
    try await control.host.close()
  }

  @Test func `keeps a change of somebody else's place in the log apart`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    await withTaskGroup(of: Void.self) { group in
      for name in 0..<20 {
        group.addTask {
          let reply = try? await control.request(
            "PATCH", "/v1/apps/\(app.id)", #"{"name":"n\#(name)"}"#)
          #expect(reply?.status == 200)
        }
      }
    }
    #expect(try await control.log(of: app).map(\.seq) == Array(1...21))
    try await control.host.close()
  }

  @Test func `is read in pages and by what is looked for`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    for name in ["a", "b", "c"] {
      try await control.host.advance(milliseconds: 1_000)
      _ = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"\#(name)"}"#)
    }
    let path = "/v1/apps/\(app.id)/audit"
    let first: LoggedPage = try await control.request("GET", path + "?limit=2").json()
    #expect(first.data.map(\.seq) == [4, 3] && first.next == "3")
    let second: LoggedPage = try await control.request("GET", path + "?limit=2&after=3").json()
    #expect(second.data.map(\.seq) == [2, 1] && second.next == nil)
    #expect(try await control.log(of: app, "&action=app.created").map(\.seq) == [1])
    #expect(try await control.log(of: app, "&outcome=refused").isEmpty)
    #expect(try await control.log(of: app, "&actor=acc_eve").isEmpty)
    #expect(
      try await control.log(
        of: app, "&since=2026-01-01T00:00:01Z&until=2026-01-01T00:00:03Z"
      ).map(\.seq) == [2, 3])
    for query in ["after=x", "since=yesterday", "until=1"] {
      #expect(try await control.request("GET", path + "?" + query).status == 400)
    }
    try await control.host.close()
  }

  @Test(arguments: [
    "UPDATE control_audit SET actor = 'acc_eve'", "DELETE FROM control_audit",
    "INSERT OR REPLACE INTO control_audit SELECT * FROM control_audit WHERE seq = 1",
  ])
  func `is not rewritten by the plugin either`(statement: String) async throws {
    let control = try await ControlHost(
      rows: """
        INSERT INTO control_audit VALUES (1, 'aud_1', 0, 'app_x', 'account', 'acc_ada', '127.0.0.1', 'r', 'a', 'done',
          NULL, NULL, NULL, '0', '1', NULL);
        """)
    #expect(try await control.request("GET", "/v1/apps").status == 200)
    try await control.host.close()
    await #expect(throws: (any Error).self) {
      let other = try await ControlHost(
        rows: """
          INSERT INTO control_audit VALUES (1, 'aud_1', 0, 'app_x', 'account', 'acc_ada', '127.0.0.1', 'r', 'a', 'done',
            NULL, NULL, NULL, '0', '1', NULL);
          \(statement);
          """)
      try await other.host.close()
    }
  }

  @Test func `says of a change that failed that it was begun and has failed, and why`() async throws
  {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    var tenants = try await control.host.tenants
    tenants.tenants["app_other"] = TestTenants.Tenant(hosts: ["taken.customers.example"])
    try await control.host.setTenants(tenants)
    let path = "/v1/apps/\(app.id)/domains/taken.customers.example"
    #expect(try await control.request("PUT", path, "{}").status == 409)
    let log = try await control.log(of: app)
    #expect(log.map(\.outcome) == ["done", "begun", "failed"])
    #expect(log.map(\.reason) == [nil, nil, "It is another's."])
    #expect(log[2].previousHash == log[1].hash && log[2].hash != log[1].hash)
    let missing = "/v1/apps/\(app.id)/domains/none.customers.example"
    #expect(try await control.request("GET", missing).status == 404)
    #expect(try await control.log(of: app).count == 3)
    try await control.host.close()
  }

  @Test func `has the words that a client is told as the reason, and so many of them`() {
    let problem = Problem.invalid(
      "Refused.", errors: [.init(pointer: "/config/size", message: "must be at least 1")])
    #expect(AuditRecord.reason(of: problem) == "Refused. /config/size: must be at least 1")
    #expect(
      AuditRecord.reason(of: HostError(.unavailable, "the disk is full")) == "the disk is full")
    #expect(!AuditRecord.reason(of: HostError(.storageFull)).isEmpty)
    let long = AuditRecord.reason(of: Problem.conflict(String(repeating: "ü", count: 5_000)))
    #expect((900...1_010).contains(long.utf8.count))
  }
}
