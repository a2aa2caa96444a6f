import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

/// Between the look at a member's role and the change that it allows, another loop may take the role away.
@Suite struct `A role that ends while its member changes something` {
  struct Change: Sendable, CustomTestStringConvertible {
    var role: Role
    var method: String
    var path: String
    var body = ""

    var testDescription: String { "\(method) \(path)" }
  }

  static let changes: [Change] = [
    Change(role: .admin, method: "PATCH", path: "", body: #"{"name":"Bobs"}"#),
    Change(
      role: .admin, method: "PATCH", path: "",
      body: #"{"allowed_origins":["https://bob.example"]}"#),
    Change(role: .owner, method: "DELETE", path: ""),
    Change(role: .owner, method: "POST", path: "/transfer", body: #"{"account":"acc_carol"}"#),
    Change(role: .admin, method: "PATCH", path: "/members/acc_carol", body: #"{"role":"admin"}"#),
    Change(role: .admin, method: "DELETE", path: "/members/acc_carol"),
    Change(
      role: .admin, method: "POST", path: "/invitations",
      body: #"{"email":"dan@example.test","role":"admin"}"#),
    Change(role: .admin, method: "DELETE", path: "/invitations/{invitation}"),
    Change(role: .developer, method: "POST", path: "/keys", body: #"{"name":"bobs"}"#),
    Change(role: .developer, method: "PATCH", path: "/keys/{key}", body: #"{"name":"bobs"}"#),
    Change(role: .developer, method: "PATCH", path: "/keys/{key}", body: #"{"scopes":["a.b"]}"#),
    Change(role: .developer, method: "DELETE", path: "/keys/{key}"),
    Change(
      role: .developer, method: "POST", path: "/keys/{key}/rotate", body: #"{"grace_seconds":0}"#),
    Change(
      role: .admin, method: "POST", path: "/signing-secret/rotate", body: #"{"grace_seconds":0}"#),
    Change(role: .admin, method: "PUT", path: "/domains/b.customers.example", body: "{}"),
    Change(role: .admin, method: "DELETE", path: "/domains/a.customers.example"),
    Change(role: .admin, method: "PUT", path: "/branding", body: #"{"name":"Bobs"}"#),
    Change(role: .developer, method: "PUT", path: "/plugins/chat", body: #"{"enabled":true}"#),
  ]

  private struct State: Equatable {
    var pages: [String]
    var tenant: TestTenants.Tenant
  }

  /// What ada and the host have of the app.
  private func state(_ control: ControlHost, _ app: MadeApp) async throws -> State {
    var pages: [String] = []
    for path in ["", "/members", "/invitations", "/keys", "/domains", "/branding", "/plugins"] {
      let reply = try await control.request("GET", "/v1/apps/\(app.id)\(path)")
      #expect(reply.status == 200, "\(path)")
      pages.append(reply.text)
    }
    var tenant = try #require(try await control.host.tenants.tenants[app.id])
    // What was let in and taken back again was nobody's.
    tenant.credentials = tenant.credentials.filter { $0.value.revokedAt == nil }
    return State(pages: pages, tenant: tenant)
  }

  private func tryChange(
    _ change: Change, while statement: String, status: Int, outcomes: [String]
  ) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "carol", as: "viewer")
    try await control.join(app, "bob", as: change.role.rawValue)
    let base = "/v1/apps/\(app.id)"
    let invited = try await control.request(
      "POST", base + "/invitations", #"{"email":"erin@example.test","role":"viewer"}"#)
    #expect(
      try await control.request("PUT", base + "/domains/a.customers.example", "{}").status == 200)
    let path = change.path
      .replacing("{key}", with: try #require(app.keys.first).id)
      .replacing("{invitation}", with: try invited.json(Listed.Element.self).id)
    var before = try await state(control, app)
    let last = try await control.log(of: app).count
    control.host.interpose(statement)
    let reply = try await control.request(
      change.method, base + path, change.body, as: .account("acc_bob"))
    #expect(reply.status == status, "\(reply.text)")
    try await control.host.settle()
    var after = try await state(control, app)
    // The members are what the statement makes them.
    before.pages[1] = ""
    after.pages[1] = ""
    #expect(after == before)
    #expect(try await control.log(of: app).dropFirst(last).map(\.outcome) == outcomes)
    try await control.host.close()
  }

  @Test(arguments: changes)
  func `by being demoted changes nothing, and the refusal is remembered`(change: Change)
    async throws
  {
    try await tryChange(
      change, while: "UPDATE control_members SET role = 'viewer' WHERE account_id = 'acc_bob'",
      status: 403, outcomes: ["refused"])
  }

  @Test(arguments: changes)
  func `by being removed changes nothing, and the app is as good as none`(change: Change)
    async throws
  {
    try await tryChange(
      change, while: "DELETE FROM control_members WHERE account_id = 'acc_bob'", status: 404,
      outcomes: [])
  }

  @Test func `and another that it gave is taken back with it`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "carol", as: "viewer")
    try await control.join(app, "bob", as: "owner")
    // Still an admin, who may change members, and make none an owner.
    control.host.interpose("UPDATE control_members SET role = 'admin' WHERE account_id = 'acc_bob'")
    let reply = try await control.request(
      "PATCH", "/v1/apps/\(app.id)/members/acc_carol", #"{"role":"owner"}"#,
      as: .account("acc_bob"))
    #expect(reply.status == 403)
    let members = try await control.request("GET", "/v1/apps/\(app.id)/members")
    #expect(
      members.text.contains(#""id":"acc_carol""#)
        || members.text.contains(#""account":"acc_carol""#))
    #expect(members.text.contains(#""role":"viewer""#))
    try await control.host.close()
  }
}
