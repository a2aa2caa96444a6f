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
          NULL, NULL, NULL, '0', '1');
        """)
    #expect(try await control.request("GET", "/v1/apps").status == 200)
    try await control.host.close()
    await #expect(throws: (any Error).self) {
      let other = try await ControlHost(
        rows: """
          INSERT INTO control_audit VALUES (1, 'aud_1', 0, 'app_x', 'account', 'acc_ada', '127.0.0.1', 'r', 'a', 'done',
            NULL, NULL, NULL, '0', '1');
          \(statement);
          """)
      try await other.host.close()
    }
  }

  @Test func `says of a change that failed that it was begun and has failed`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.host.setTenants(TestTenants())
    let reply = try await control.request(
      "PATCH", "/v1/apps/\(app.id)", #"{"name":"x","allowed_origins":[]}"#)
    #expect(reply.status == 404)
    let log = try await control.log(of: app)
    #expect(log.map(\.outcome) == ["done", "begun", "failed"])
    let read = try await control.request("GET", "/v1/apps")
    #expect(try read.json(Listed.self).data.map(\.name) == ["Shop"])
    try await control.host.close()
  }
}
