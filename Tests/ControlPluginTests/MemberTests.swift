import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

private struct Members: Decodable {
  struct Member: Decodable, Equatable {
    var account: String
    var email: String?
    var role: String
  }

  var data: [Member]
  var next: String?
}

@Suite struct `A member of an app` {
  private func members(_ control: ControlHost, _ app: MadeApp) async throws -> [Members.Member] {
    try await control.request("GET", "/v1/apps/\(app.id)/members").json(Members.self).data
  }

  @Test func `is its maker at first, and the only one`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    #expect(
      try await members(control, app) == [
        .init(account: "acc_ada", email: "ada@example.test", role: "owner")
      ])
    try await control.host.close()
  }

  @Test func `sees the app in its list with its role`() async throws {
    struct Apps: Decodable {
      struct App: Decodable {
        var id: String
        var role: String
      }
      var data: [App]
    }
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "bob", as: "developer")
    let apps: Apps = try await control.request("GET", "/v1/apps", as: .account("acc_bob")).json()
    #expect(apps.data.map(\.id) == [app.id] && apps.data.map(\.role) == ["developer"])
    let read = try await control.request("GET", "/v1/apps/\(app.id)", as: .account("acc_bob"))
    #expect(read.text.contains(#""role":"developer""#))
    try await control.host.close()
  }

  @Test func `is given another role by who may, and never one above that`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "bob", as: "admin")
    try await control.join(app, "cyn", as: "viewer")
    func change(_ account: String, _ role: String, by name: String) async throws -> Int {
      try await control.request(
        "PATCH", "/v1/apps/\(app.id)/members/acc_\(account)", #"{"role":"\#(role)"}"#,
        as: .account("acc_\(name)")
      ).status
    }
    #expect(try await change("cyn", "developer", by: "bob") == 200)
    #expect(try await change("cyn", "owner", by: "bob") == 403)
    #expect(try await change("ada", "viewer", by: "bob") == 403)
    #expect(try await change("bob", "viewer", by: "cyn") == 403)
    #expect(try await change("nobody", "viewer", by: "ada") == 404)
    #expect(try await change("cyn", "owner", by: "ada") == 200)
    // Two owners: one of them may go down.
    #expect(try await change("ada", "admin", by: "cyn") == 200)
    #expect(try await change("cyn", "admin", by: "cyn") == 409)
    try await control.host.close()
  }

  @Test func `leaves, or is removed, but never the last owner`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "bob", as: "admin")
    try await control.join(app, "cyn", as: "viewer")
    func remove(_ account: String, by name: String) async throws -> Int {
      try await control.request(
        "DELETE", "/v1/apps/\(app.id)/members/acc_\(account)", as: .account("acc_\(name)")
      ).status
    }
    #expect(try await remove("bob", by: "cyn") == 403)
    #expect(try await remove("ada", by: "bob") == 403)
    #expect(try await remove("ada", by: "ada") == 409)
    #expect(try await remove("cyn", by: "cyn") == 204)
    #expect(try await remove("cyn", by: "cyn") == 404)
    #expect(try await remove("bob", by: "ada") == 204)
    #expect(try await members(control, app).map(\.account) == ["acc_ada"])
    try await control.host.close()
  }

  @Test func `takes the app over, and the former owner stays as an admin`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.join(app, "bob", as: "viewer")
    let path = "/v1/apps/\(app.id)/transfer"
    let stranger = try await control.request("POST", path, #"{"account":"acc_eve"}"#)
    #expect(stranger.status == 404)
    #expect(try await control.request("POST", path, #"{"account":"acc_ada"}"#).status == 400)
    #expect(try await control.request("POST", path, #"{"account":"acc_bob"}"#).status == 204)
    #expect(try await members(control, app).map(\.role) == ["admin", "owner"])
    #expect(try await control.request("POST", path, #"{"account":"acc_bob"}"#).status == 403)
    // The place among one's own apps goes with it.
    for _ in 0..<3 { _ = try await control.makeApp() }
    try await control.host.close()
  }

  @Test(arguments: ["{}", #"{"role":"god"}"#, #"{"role":"viewer","x":1}"#])
  func `is given no role that there is not`(body: String) async throws {
    let control = try await ControlHost()
    #expect(try control.refuses("PATCH", "/v1/apps/app_x/members/acc_x", body))
    try await control.host.close()
  }
}

@Suite struct `An invitation` {
  private struct Made: Decodable {
    var id: String
    var email: String
    var role: String
  }

  private func invite(
    _ control: ControlHost, _ app: MadeApp, _ email: String, _ role: String = "developer"
  ) async throws -> TestReply {
    try await control.request(
      "POST", "/v1/apps/\(app.id)/invitations", #"{"email":"\#(email)","role":"\#(role)"}"#)
  }

  private func accept(_ control: ControlHost, _ code: String, _ name: String) async throws -> Int {
    try await control.request(
      "POST", "/v1/invitations/accept", #"{"code":"\#(code)"}"#, as: .account("acc_\(name)")
    ).status
  }

  @Test func `goes to its address, and its code is in the letter alone`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp("Shop\\u2028Pay me {product}")
    let reply = try await invite(control, app, "Bob@Example.test")
    #expect(reply.status == 201)
    let made: Made = try reply.json()
    #expect(made.email == "bob@example.test" && made.role == "developer")
    let letter = try #require(control.outbox.letters.first)
    #expect(letter.to == "bob@example.test" && letter.category == "invitation")
    // The mailer fills in what stands in braces, and nothing in what others have written.
    #expect(letter.text.contains("{inviter} invites you to the app \"{app}\", as developer."))
    #expect(letter.values == ["inviter": "ada@example.test", "app": "ShopPay me {product}"])
    #expect(letter.subject == "{product}: you are invited to an app")
    #expect(letter.text.hasSuffix("do nothing.\n\n{product}"))
    let code = try #require(letter.code)
    #expect(letter.text.contains("https://console.example/invitations?code=\(code)\n"))
    let list = try await control.request("GET", "/v1/apps/\(app.id)/invitations")
    #expect(try list.json(Listed.self).data.map(\.id) == [made.id])
    #expect(!list.text.contains(code) && !reply.text.contains(code))
    let log = try await control.request("GET", "/v1/apps/\(app.id)/audit")
    #expect(!log.text.contains(code))
    try await control.host.close()
  }

  @Test func `is accepted once, by the account that has the address`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    _ = try await invite(control, app, "bob@example.test")
    let code = try #require(control.outbox.letters.last?.code)
    #expect(try await accept(control, code, "eve") == 404)
    #expect(try await accept(control, code + "x", "bob") == 404)
    #expect(try await accept(control, code, "bob") == 200)
    #expect(try await accept(control, code, "bob") == 404)
    #expect(try await invite(control, app, "bob@example.test").status == 409)
    let list: Listed = try await control.request("GET", "/v1/apps/\(app.id)/invitations").json()
    #expect(list.data.isEmpty)
    try await control.host.close()
  }

  @Test func `is worth nothing when it has expired, is withdrawn or replaced`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    _ = try await invite(control, app, "bob@example.test")
    let first = try #require(control.outbox.letters.last?.code)
    let again: Made = try await invite(control, app, "bob@example.test", "viewer").json()
    let second = try #require(control.outbox.letters.last?.code)
    #expect(try await accept(control, first, "bob") == 404)
    let path = "/v1/apps/\(app.id)/invitations/\(again.id)"
    #expect(try await control.request("DELETE", path, as: .account("acc_eve")).status == 404)
    #expect(try await control.request("DELETE", path).status == 204)
    #expect(try await control.request("DELETE", path).status == 404)
    #expect(try await accept(control, second, "bob") == 404)
    _ = try await invite(control, app, "bob@example.test")
    let third = try #require(control.outbox.letters.last?.code)
    try await control.host.advance(milliseconds: 3_600_000)
    #expect(try await accept(control, third, "bob") == 410)
    let list: Listed = try await control.request("GET", "/v1/apps/\(app.id)/invitations").json()
    #expect(list.data.isEmpty)
    try await control.host.close()
  }

  @Test func `is taken back when no letter can be sent`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    #expect(try await invite(control, app, "full@example.test").status == 503)
    let list: Listed = try await control.request("GET", "/v1/apps/\(app.id)/invitations").json()
    #expect(list.data.isEmpty)
    try await control.host.close()
  }

  @Test func `is one of so many a day, and its member of so many in an app`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    for name in ["b", "c", "d"] { try await control.join(app, name, as: "viewer") }
    _ = try await invite(control, app, "e@example.test")
    let code = try #require(control.outbox.letters.last?.code)
    #expect(try await accept(control, code, "e") == 403)
    #expect(try await invite(control, app, "f@example.test").status == 201)
    let reply = try await invite(control, app, "g@example.test")
    #expect(reply.status == 403 && reply.problem?.code == "quota_exceeded")
    try await control.host.advance(milliseconds: 86_400_001)
    #expect(try await invite(control, app, "g@example.test").status == 201)
    try await control.host.close()
  }

  @Test func `is one of so many of an account and to an address, whatever becomes of their apps`()
    async throws
  {
    let control = try await ControlHost()
    for round in 0..<3 {
      let app = try await control.makeApp()
      #expect(try await invite(control, app, "bob@example.test").status == 201)
      if round > 0 {
        #expect(try await invite(control, app, "c\(round)@example.test").status == 201)
      }
      #expect(try await control.request("DELETE", "/v1/apps/\(app.id)").status == 204)
    }
    let app = try await control.makeApp()
    let toBob = try await invite(control, app, "BOB@example.test")
    #expect(toBob.status == 429 && toBob.problem?.code == "rate_limited")
    // What is refused is not counted, and neither is a letter that was not taken.
    #expect(try await invite(control, app, "full@example.test").status == 503)
    for name in ["d", "e"] {
      #expect(try await invite(control, app, "\(name)@example.test").status == 201)
    }
    let refused = try await invite(control, app, "f@example.test")
    #expect(refused.status == 403 && refused.problem?.code == "quota_exceeded")
    #expect(control.outbox.letters.count == 7)
    try await control.host.advance(milliseconds: 86_400_000)
    for _ in 0..<3 { #expect(try await invite(control, app, "bob@example.test").status == 201) }
    #expect(try await invite(control, app, "bob@example.test").status == 429)
    try await control.host.advance(milliseconds: 3_600_000)
    #expect(try await invite(control, app, "bob@example.test").status == 201)
    #expect(
      try await control.host.execute("SELECT COUNT(*) FROM control_invitation_letters") == [["4"]])
    try await control.host.close()
  }

  @Test func `is not sent by whoever has not verified an address`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp(as: .account("acc_unverified"))
    let reply = try await control.request(
      "POST", "/v1/apps/\(app.id)/invitations", #"{"email":"bob@example.test","role":"viewer"}"#,
      as: .account("acc_unverified"))
    #expect(reply.status == 403 && reply.problem?.code == "email_unverified")
    #expect(control.outbox.letters.isEmpty)
    try await control.host.close()
  }

  @Test(arguments: ["a@b", "a@localhost", "a@example.123"])
  func `goes to no address that could not sign up`(email: String) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let reply = try await invite(control, app, email)
    #expect(reply.status == 400 && reply.problem?.errors?.map(\.pointer) == ["/email"])
    #expect(control.outbox.letters.isEmpty)
    try await control.host.close()
  }

  @Test(arguments: [
    #"{"email":"x","role":"viewer"}"#, #"{"email":"a@example.test"}"#,
    #"{"email":"a@example.test","role":"root"}"#,
  ])
  func `is refused by the manifest without an address and a role`(body: String) async throws {
    let control = try await ControlHost()
    #expect(try control.refuses("POST", "/v1/apps/app_x/invitations", body))
    try await control.host.close()
  }
}
