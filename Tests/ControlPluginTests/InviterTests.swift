import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

/// A control plane with an app of Ada's, of which Bob is an admin.
private struct Team {
  let control: ControlHost
  let app: MadeApp

  init() async throws {
    control = try await ControlHost()
    app = try await control.makeApp()
    try await control.join(app, "bob", as: "admin")
  }

  /// The code in the letter to `name`.
  func invite(_ name: String, as role: String, by inviter: String) async throws -> String {
    let reply = try await control.request(
      "POST", "/v1/apps/\(app.id)/invitations",
      #"{"email":"\#(name)@example.test","role":"\#(role)"}"#, as: .account("acc_\(inviter)"))
    #expect(reply.status == 201)
    return try #require(control.outbox.letters.last?.code)
  }

  func accept(_ code: String, _ name: String) async throws -> TestReply {
    try await control.request(
      "POST", "/v1/invitations/accept", #"{"code":"\#(code)"}"#, as: .account("acc_\(name)"))
  }

  func change(_ name: String, to role: String) async throws -> TestReply {
    try await control.request(
      "PATCH", "/v1/apps/\(app.id)/members/acc_\(name)", #"{"role":"\#(role)"}"#)
  }

  func transfer(to name: String) async throws -> TestReply {
    try await control.request(
      "POST", "/v1/apps/\(app.id)/transfer", #"{"account":"acc_\#(name)"}"#)
  }

  var invited: Int {
    get async throws {
      try await control.request("GET", "/v1/apps/\(app.id)/invitations").json(Listed.self).data
        .count
    }
  }
}

@Suite struct `An invitation, when its inviter's role is another,` {
  @Test(arguments: ["viewer", "developer"])
  func `is withdrawn where that role invites nobody`(role: String) async throws {
    let team = try await Team()
    let own = try await team.invite("bob2", as: "admin", by: "bob")
    let other = try await team.invite("cyn", as: "viewer", by: "ada")
    #expect(try await team.change("bob", to: role).status == 200)
    #expect(try await team.invited == 1)
    #expect(try await team.accept(own, "bob2").status == 404)
    #expect(try await team.accept(other, "cyn").status == 200)
    try await team.control.host.close()
  }

  @Test func `is withdrawn after a transfer where it makes an owner, and stays where it does not`()
    async throws
  {
    let team = try await Team()
    let owner = try await team.invite("ada2", as: "owner", by: "ada")
    let viewer = try await team.invite("cyn", as: "viewer", by: "ada")
    #expect(try await team.transfer(to: "bob").status == 204)
    #expect(try await team.accept(owner, "ada2").status == 404)
    #expect(try await team.accept(viewer, "cyn").status == 200)
    try await team.control.host.close()
  }

  /// Whatever has taken the role away: acceptance looks by itself.
  @Test func `is not accepted`() async throws {
    let team = try await Team()
    let admin = try await team.invite("bob2", as: "admin", by: "bob")
    let set = { (role: String) in
      _ = try await team.control.host.execute(
        "UPDATE control_members SET role = '\(role)' WHERE account_id = 'acc_bob'")
    }
    try await set("developer")
    #expect(try await team.accept(admin, "bob2").status == 404)
    try await set("admin")
    #expect(try await team.accept(admin, "bob2").status == 200)
    let owner = try await team.invite("cyn", as: "owner", by: "ada")
    try await team.control.host.execute(
      "UPDATE control_members SET role = 'admin' WHERE account_id = 'acc_ada'")
    #expect(try await team.accept(owner, "cyn").status == 404)
    try await team.control.host.execute(
      "DELETE FROM control_members WHERE account_id = 'acc_ada'")
    #expect(try await team.accept(owner, "cyn").status == 404)
    try await team.control.host.close()
  }
}

@Suite struct `What a member is refused` {
  @Test func `is remembered ten times an hour for each member and kind`() async throws {
    let team = try await Team()
    #expect(try await team.change("bob", to: "viewer").status == 200)
    func tries(_ count: Int, _ method: String, _ path: String, _ body: String = "") async throws {
      for _ in 0..<count {
        let reply = try await team.control.request(
          method, "/v1/apps/\(team.app.id)\(path)", body, as: .account("acc_bob"))
        #expect(reply.status == 403)
      }
    }
    func remembered() async throws -> [[String]] {
      try await team.control.host.execute(
        "SELECT action, COUNT(*) FROM control_audit WHERE outcome = 'refused' GROUP BY action ORDER BY action"
      )
    }
    try await tries(12, "DELETE", "")
    try await tries(2, "POST", "/keys", #"{"name":"x"}"#)
    #expect(try await remembered() == [["app.deleted", "10"], ["key.created", "2"]])
    try await team.control.host.advance(milliseconds: 3_600_000)
    try await tries(1, "DELETE", "")
    #expect(try await remembered() == [["app.deleted", "11"], ["key.created", "2"]])
    try await team.control.host.close()
  }
}

@Suite struct `The number of apps that an account may own` {
  private func isQuota(_ reply: TestReply) -> Bool {
    reply.status == 403 && reply.problem?.code == "quota_exceeded"
  }

  @Test func `is counted however it comes to them`() async throws {
    let team = try await Team()
    let bob = Principal.account("acc_bob")
    for _ in 0..<3 { _ = try await team.control.makeApp(as: bob) }
    #expect(isQuota(try await team.transfer(to: "bob")))
    #expect(isQuota(try await team.change("bob", to: "owner")))
    let cyn = Principal.account("acc_cyn")
    let spare = try await team.control.makeApp(as: cyn)
    for _ in 0..<2 { _ = try await team.control.makeApp(as: cyn) }
    let code = try await team.invite("cyn", as: "owner", by: "ada")
    #expect(isQuota(try await team.accept(code, "cyn")))
    // What was refused has changed nothing, and the invitation is as good as before.
    let members = try await team.control.request("GET", "/v1/apps/\(team.app.id)/members")
    #expect(members.text.contains(#""role":"owner""#))
    #expect(try await team.change("bob", to: "developer").status == 200)
    let deleted = try await team.control.request("DELETE", "/v1/apps/\(spare.id)", as: cyn)
    #expect(deleted.status == 204)
    #expect(try await team.accept(code, "cyn").status == 200)
    try await team.control.host.close()
  }
}
