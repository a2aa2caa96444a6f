import PluginKit
import PluginTesting
import Testing

@testable import ControlPlugin

@Suite struct `What is an account's` {
  private func release(_ control: ControlHost, _ account: String) async throws -> TiesReply {
    try await control.host.call(
      "sluice.account-ties/1", method: 1,
      TiesQuery(account: account, address: "203.0.113.7", requestID: "req_1"))
  }

  private func join(_ control: ControlHost, _ app: MadeApp, _ name: String, _ role: String)
    async throws
  {
    let invited = try await control.request(
      "POST", "/v1/apps/\(app.id)/invitations",
      #"{"email":"\#(name)@example.test","role":"\#(role)"}"#)
    #expect(invited.status == 201)
    let code = try #require(control.outbox.letters.last?.code)
    let accepted = try await control.request(
      "POST", "/v1/invitations/accept", #"{"code":"\#(code)"}"#, as: .account("acc_\(name)"))
    #expect(accepted.status == 200)
  }

  @Test func `keeps it where it is an app's only owner, and nothing changes`() async throws {
    let control = try await ControlHost()
    let alone = try await control.makeApp("Alone")
    let shared = try await control.makeApp("Shared")
    try await join(control, shared, "bob", "owner")
    let reply = try await release(control, "acc_ada")
    #expect(reply.keptBy.map(\.id) == [alone.id] && reply.keptBy[0].name == "Alone" && !reply.more)
    #expect(try await control.request("GET", "/v1/apps/\(shared.id)").status == 200)
    #expect(try await control.request("DELETE", "/v1/apps/\(alone.id)").status == 204)
    #expect(try await release(control, "acc_ada").keptBy.isEmpty)
    #expect(try await control.request("GET", "/v1/apps/\(shared.id)").status == 404)
    // It is in the app's audit log, and who is left owns it.
    let log = try await control.request(
      "GET", "/v1/apps/\(shared.id)/audit?limit=1", as: .account("acc_bob"))
    #expect(log.text.contains(#""action":"member.removed""#) && log.text.contains("203.0.113.7"))
    #expect(try await release(control, "acc_bob").keptBy.map(\.id) == [shared.id])
    try await control.host.close()
  }

  @Test func `is let go of in all roles, and nobody has nothing`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await join(control, app, "bob", "viewer")
    #expect(try await release(control, "acc_bob").keptBy.isEmpty)
    #expect(
      try await control.request("GET", "/v1/apps/\(app.id)", as: .account("acc_bob")).status == 404)
    #expect(try await release(control, "acc_nobody").keptBy.isEmpty)
    try await control.host.close()
  }
}
