import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `A request with an Idempotency-Key` {
  /// The status with which a repeat is refused before its answer is given again; nil when it is not.
  private func refusal(
    _ control: ControlHost, _ target: String, _ operation: String, as name: String,
    key: String? = "k1"
  ) async throws -> Int? {
    try await control.host.pass(
      .authorize, "may_repeat", "POST", target, route: (operation, "control"),
      headers: key.map { [("idempotency-key", $0)] } ?? [], as: .account("acc_\(name)")
    ).reply?.status
  }

  @Test func `is answered again while its maker is a member who may`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "bob", as: "developer")
    let keys = "/v1/apps/\(app.id)/keys"
    func change(_ role: String) async throws {
      let reply = try await control.request(
        "PATCH", "/v1/apps/\(app.id)/members/acc_bob", #"{"role":"\#(role)"}"#)
      #expect(reply.status == 200)
    }
    #expect(try await refusal(control, keys, "createKey", as: "bob") == nil)
    #expect(try await refusal(control, keys, "createKey", as: "eve") == 404)
    try await change("viewer")
    #expect(try await refusal(control, keys, "createKey", as: "bob") == 403)
    #expect(try await refusal(control, keys + "/key_1/rotate", "rotateKey", as: "bob") == 403)
    // What says no secret is said to any member.
    let invitations = "/v1/apps/\(app.id)/invitations"
    #expect(try await refusal(control, invitations, "createInvitation", as: "bob") == nil)
    #expect(
      try await control.request("DELETE", "/v1/apps/\(app.id)/members/acc_bob").status == 204)
    #expect(try await refusal(control, keys, "createKey", as: "bob") == 404)
    #expect(try await refusal(control, invitations, "createInvitation", as: "bob") == 404)
    // Without a key the route's handler is the one that decides.
    #expect(try await refusal(control, keys, "createKey", as: "bob", key: nil) == nil)
    try await control.host.close()
  }

  @Test func `that has made an app is answered again to who may see its secrets still`()
    async throws
  {
    let control = try await ControlHost()
    let made = try await control.host.request(
      "POST", "/v1/apps", handler: "create_app", parameters: [],
      headers: [("idempotency-key", "k1")], body: #"{"name":"Shop"}"#, as: .account("acc_ada"))
    #expect(made.status == 201)
    let app: MadeApp = try made.json()
    func refused(_ key: String = "k1") async throws -> Int? {
      try await refusal(control, "/v1/apps", "createApp", as: "ada", key: key)
    }
    try await control.join(app, "bob", as: "viewer")
    #expect(try await refused() == nil)
    let transfer = try await control.request(
      "POST", "/v1/apps/\(app.id)/transfer", #"{"account":"acc_bob"}"#)
    #expect(transfer.status == 204)
    #expect(try await refused() == nil)
    func settle(_ method: String, _ body: String, _ status: Int) async throws {
      let reply = try await control.request(
        method, "/v1/apps/\(app.id)/members/acc_ada", body, as: .account("acc_bob"))
      #expect(reply.status == status)
    }
    try await settle("PATCH", #"{"role":"developer"}"#, 200)
    #expect(try await refused() == 403)
    try await settle("DELETE", "", 204)
    #expect(try await refused() == 404)
    // What was left half made is made anew.
    try await control.host.execute("UPDATE control_apps SET state = 'creating'")
    #expect(try await refused() == nil)
    // Another request is another app's, and so is another's of this key.
    #expect(try await refused("k2") == nil)
    #expect(try await refusal(control, "/v1/apps", "createApp", as: "eve") == nil)
    try await control.host.close()
  }
}
