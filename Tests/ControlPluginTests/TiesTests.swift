import PluginKit
import PluginTesting
import Testing

@testable import ControlPlugin

@Suite struct `The end of an account` {
  private func query(_ account: String, _ request: String) -> TiesQuery {
    // A client may call all its requests the same.
    TiesQuery(
      account: account, departure: request, address: "203.0.113.7", requestID: "forged-1")
  }

  private func depart(
    _ control: ControlHost, _ account: String, _ request: String = "req_1"
  ) async throws -> [String] {
    let reply: TiesReply = try await control.host.call(
      "sluice.account-ties/1", method: 1, query(account, request))
    return reply.keptBy.map(\.id)
  }

  private func settle(
    _ control: ControlHost, _ account: String, _ request: String = "req_1"
  ) async throws {
    let _: TiesSettled = try await control.host.call(
      "sluice.account-ties/1", method: 2, query(account, request))
  }

  private func invite(
    _ control: ControlHost, _ app: MadeApp, _ name: String, _ role: String
  ) async throws -> String {
    let invited = try await control.request(
      "POST", "/v1/apps/\(app.id)/invitations",
      #"{"email":"\#(name)@example.test","role":"\#(role)"}"#)
    #expect(invited.status == 201)
    return try #require(control.outbox.letters.last?.code)
  }

  private func accept(_ control: ControlHost, _ code: String, _ name: String) async throws -> Int {
    try await control.request(
      "POST", "/v1/invitations/accept", #"{"code":"\#(code)"}"#, as: .account("acc_\(name)")
    ).status
  }

  private func join(
    _ control: ControlHost, _ app: MadeApp, _ name: String, _ role: String
  ) async throws {
    let code = try await invite(control, app, name, role)
    #expect(try await accept(control, code, name) == 200)
  }

  private func reads(
    _ control: ControlHost, _ app: MadeApp, _ name: String
  ) async throws -> Bool {
    try await control.request("GET", "/v1/apps/\(app.id)", as: .account("acc_\(name)")).status
      == 200
  }

  @Test func `does not come where it is an app's only owner, and nothing changes`() async throws {
    let control = try await ControlHost()
    let alone = try await control.makeApp("Alone")
    let shared = try await control.makeApp("Shared")
    try await join(control, shared, "bob", "owner")
    let reply: TiesReply = try await control.host.call(
      "sluice.account-ties/1", method: 1, query("acc_ada", "req_1"))
    #expect(reply.keptBy.map(\.id) == [alone.id] && reply.keptBy[0].name == "Alone" && !reply.more)
    #expect(try await reads(control, shared, "ada"))
    #expect(try await control.request("DELETE", "/v1/apps/\(alone.id)").status == 204)
    #expect(try await depart(control, "acc_ada") == [])
    // Nothing is over before the account is.
    #expect(try await reads(control, shared, "ada"))
    control.ended.insert("acc_ada")
    try await settle(control, "acc_ada")
    #expect(try await !reads(control, shared, "ada"))
    // It is in the app's audit log, and who is left owns it.
    let log = try await control.request(
      "GET", "/v1/apps/\(shared.id)/audit?limit=1", as: .account("acc_bob"))
    #expect(log.text.contains(#""action":"member.removed""#) && log.text.contains("203.0.113.7"))
    #expect(try await depart(control, "acc_bob") == [shared.id])
    try await control.host.close()
  }

  @Test func `takes it out of its apps in all roles, and nobody out of none`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await join(control, app, "bob", "viewer")
    #expect(try await depart(control, "acc_bob") == [])
    control.ended.insert("acc_bob")
    try await settle(control, "acc_bob")
    try await settle(control, "acc_bob")
    #expect(try await !reads(control, app, "bob"))
    #expect(try await depart(control, "acc_nobody") == [])
    try await control.host.close()
  }

  @Test func `that is under way lets it into no app, and counts it as no owner`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await join(control, app, "bob", "owner")
    // Ids sort by time.
    try await control.host.advance(milliseconds: 5)
    let other = try await control.makeApp("Other")
    let code = try await invite(control, other, "bob", "owner")
    #expect(try await depart(control, "acc_bob") == [])
    let made = try await control.request(
      "POST", "/v1/apps", #"{"name":"Late"}"#, as: .account("acc_bob"))
    #expect(made.status == 409 && made.text.contains("is being deleted"))
    #expect(try await accept(control, code, "bob") == 409)
    #expect(
      try await control.request("DELETE", "/v1/apps/\(app.id)/members/acc_ada").status == 409)
    #expect(
      try await control.request(
        "POST", "/v1/apps/\(app.id)/transfer", #"{"account":"acc_bob"}"#
      ).status == 404)
    #expect(try await depart(control, "acc_ada") == [app.id, other.id])
    // The account has stayed after all, though not as far as another request knows.
    _ = try await depart(control, "acc_bob", "req_2")
    try await settle(control, "acc_bob", "req_1")
    #expect(try await accept(control, code, "bob") == 409)
    try await settle(control, "acc_bob", "req_2")
    #expect(try await accept(control, code, "bob") == 200)
    #expect(try await reads(control, app, "bob"))
    #expect(
      try await control.request("DELETE", "/v1/apps/\(app.id)/members/acc_ada").status == 204)
    try await control.host.close()
  }

  @Test func `does not come while an app is being made`() async throws {
    let control = try await ControlHost(
      rows: """
        INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES ('app_new', 'acc_ada', 'New', 'trial', 'creating', 9000000000000, 9000000000000);
        INSERT INTO control_members VALUES ('app_new', 'acc_ada', 'owner', 1);
        """)
    #expect(try await depart(control, "acc_ada") == ["app_new"])
    try await control.host.close()
  }

  @Test func `that a crash has left is settled by the sweep`() async throws {
    let control = try await ControlHost(
      rows: """
        INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES ('app_1', 'acc_ada', 'One', 'trial', 'ready', 1, 1);
        INSERT INTO control_members VALUES ('app_1', 'acc_ada', 'owner', 1);
        INSERT INTO control_members VALUES ('app_1', 'gone_bob', 'owner', 1);
        INSERT INTO control_departures VALUES ('gone_bob', 1, '203.0.113.7', 'req_1', NULL);
        INSERT INTO control_departures VALUES ('acc_ada', 1, '203.0.113.7', 'req_2', 'forged-1');
        """)
    try await control.host.advance(milliseconds: 300_000)
    try await control.host.settle()
    #expect(try await control.host.execute("SELECT * FROM control_departures").isEmpty)
    #expect(try await control.host.execute("SELECT * FROM control_members").count == 1)
    // Ada is there and Bob is not, so the app is hers alone.
    #expect(try await depart(control, "acc_ada") == ["app_1"])
    try await control.host.close()
  }
}
