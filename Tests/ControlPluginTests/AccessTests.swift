import PluginHost
import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

/// Every route of an app × every role, a stranger, and an app that there is not. A route that is not here fails the test.
@Suite struct `What a member may do` {
  /// A route with a request that its least role is let through with.
  private struct Trial {
    var method: String
    var path: String
    var least: Role
    var body = ""
  }

  private static let trials: [Trial] = [
    Trial(method: "GET", path: "", least: .viewer),
    Trial(method: "PATCH", path: "", least: .admin, body: #"{"name":"x"}"#),
    Trial(method: "DELETE", path: "", least: .owner),
    Trial(method: "POST", path: "/transfer", least: .owner, body: #"{"account":"acc_nobody"}"#),
    Trial(method: "GET", path: "/members", least: .viewer),
    Trial(
      method: "PATCH", path: "/members/acc_nobody", least: .admin, body: #"{"role":"viewer"}"#),
    Trial(method: "DELETE", path: "/members/acc_nobody", least: .admin),
    Trial(
      method: "POST", path: "/invitations", least: .admin,
      body: #"{"email":"full@example.test","role":"viewer"}"#),
    Trial(method: "GET", path: "/invitations", least: .viewer),
    Trial(method: "DELETE", path: "/invitations/inv_x", least: .admin),
    Trial(method: "GET", path: "/audit", least: .admin),
    Trial(method: "POST", path: "/keys", least: .developer, body: #"{"name":"x"}"#),
    Trial(method: "GET", path: "/keys", least: .viewer),
    Trial(method: "GET", path: "/keys/key_x", least: .viewer),
    Trial(method: "PATCH", path: "/keys/key_x", least: .developer, body: #"{"name":"x"}"#),
    Trial(method: "DELETE", path: "/keys/key_x", least: .developer),
    Trial(
      method: "POST", path: "/keys/key_x/rotate", least: .developer, body: #"{"grace_seconds":0}"#),
    Trial(
      method: "POST", path: "/signing-secret/rotate", least: .admin,
      body: #"{"grace_seconds":60}"#),
    Trial(method: "GET", path: "/domains", least: .viewer),
    Trial(method: "GET", path: "/domains/a.customers.example", least: .viewer),
    Trial(method: "PUT", path: "/domains/a.customers.example", least: .admin, body: "{}"),
    Trial(method: "POST", path: "/domains/a.customers.example/verify", least: .admin),
    Trial(method: "DELETE", path: "/domains/a.customers.example", least: .admin),
    Trial(method: "GET", path: "/branding", least: .viewer),
    Trial(method: "PUT", path: "/branding", least: .admin, body: "{}"),
    Trial(method: "GET", path: "/usage", least: .viewer),
    Trial(method: "GET", path: "/plugins", least: .viewer),
    Trial(method: "GET", path: "/plugins/chat", least: .viewer),
    Trial(method: "PUT", path: "/plugins/chat", least: .developer, body: #"{"enabled":false}"#),
  ]

  @Test func `is said for every route of an app`() async throws {
    let control = try await ControlHost()
    let declared = control.routes.filter { $0.path.text.hasPrefix("/v1/apps/{app}") }
    for route in declared {
      let segments = route.path.text.dropFirst("/v1/apps/{app}".count).split(separator: "/")
      #expect(
        Self.trials.contains { trial in
          let path = trial.path.split(separator: "/")
          return trial.method == route.method.rawValue && path.count == segments.count
            && zip(path, segments).allSatisfy { $1.hasPrefix("{") || $0 == $1 }
        }, "\(route.operation) is not tried")
    }
    #expect(declared.count == Self.trials.count)
    try await control.host.close()
  }

  @Test(arguments: Role.allCases)
  func `is what the role allows, and refused with 403 or 404 otherwise`(role: Role) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    if role != .owner { try await control.join(app, "bob", as: role.rawValue) }
    let member = Principal.account(role == .owner ? "acc_ada" : "acc_bob")
    let eve = Principal.account("acc_eve")
    // What ends the app comes last.
    for trial in Self.trials.sorted(by: { ($0.least, $0.path) < ($1.least, $1.path) })
    where !(trial.method == "DELETE" && trial.path.isEmpty) {
      let name = "\(trial.method) \(trial.path) as \(role)"
      for id in [app.id, "app_unknown"] {
        let reply = try await control.request(
          trial.method, "/v1/apps/\(id)\(trial.path)", trial.body, as: eve)
        #expect(reply.status == 404 && reply.problem?.code == "not_found", "a stranger: \(name)")
        #expect(reply.problem?.detail == "There is no such app.", "a stranger: \(name)")
      }
      let reply = try await control.request(
        trial.method, "/v1/apps/\(app.id)\(trial.path)", trial.body, as: member)
      if role >= trial.least {
        #expect(reply.status != 403, "\(name)")
        #expect(reply.problem?.detail != "There is no such app.", "\(name)")
      } else {
        #expect(reply.status == 403 && reply.problem?.code == "forbidden", "\(name)")
      }
    }
    let end = try await control.request("DELETE", "/v1/apps/\(app.id)", as: member)
    #expect(end.status == (role == .owner ? 204 : 403))
    try await control.host.close()
  }

  @Test func `changes nothing where it is refused, and is remembered`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "bob", as: "viewer")
    let bob = Principal.account("acc_bob")
    let before = try await control.log(of: app).count
    _ = try await control.request("PATCH", "/v1/apps/\(app.id)", #"{"name":"Mine"}"#, as: bob)
    _ = try await control.request("POST", "/v1/apps/\(app.id)/keys", #"{"name":"x"}"#, as: bob)
    // A look is no change.
    let look = try await control.request("GET", "/v1/apps/\(app.id)/audit", as: bob)
    #expect(look.status == 403 && look.problem?.detail.contains("admin") == true)
    let read = try await control.request("GET", "/v1/apps/\(app.id)")
    #expect(try read.json(Listed.Element.self).name == "Shop")
    #expect(try await control.host.tenants.tenants[app.id]?.credentials.count == 2)
    let log = try await control.log(of: app).dropFirst(before)
    #expect(log.map(\.action) == ["app.changed", "key.created"])
    #expect(log.allSatisfy { $0.outcome == "refused" && $0.actor == "acc_bob" })
    try await control.host.close()
  }
}
