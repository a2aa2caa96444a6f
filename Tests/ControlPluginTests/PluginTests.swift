import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `The plugins of an app` {
  private struct Entry: Decodable {
    var id: String
    var enabled: Bool
    var config: RawJSON
  }

  private struct Entries: Decodable {
    var data: [Entry]
    var next: String?
  }

  @Test func `are switched and set`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let path = "/v1/apps/\(app.id)/plugins"
    let on = try await control.request(
      "PUT", path + "/chat", #"{"enabled":true,"config":{"a":1.0}}"#)
    #expect(on.status == 200)
    #expect(try on.json(Entry.self).enabled)
    #expect(try on.json(Entry.self).config.text == #"{"a":1.0}"#)
    let off = try await control.request("PUT", path + "/chat", #"{"enabled":false}"#)
    #expect(try off.json(Entry.self).enabled == false)
    #expect(try off.json(Entry.self).config.text == #"{"a":1.0}"#)
    let list = try await control.request("GET", path).json(Entries.self)
    #expect(list.data.map(\.id) == ["chat"] && list.next == nil)
    try await control.host.close()
  }

  @Test func `that cannot be set leave nothing in the audit log`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    var tenants = try await control.host.tenants
    tenants.tenants[app.id]?.refusedPlugins = ["nowhere"]
    try await control.host.setTenants(tenants)
    let path = "/v1/apps/\(app.id)/plugins/nowhere"
    for _ in 0..<3 {
      #expect(try await control.request("PUT", path, #"{"enabled":true}"#).status == 404)
    }
    #expect(try await control.log(of: app).map(\.action) == ["app.created"])
    #expect(try await control.host.execute("SELECT * FROM control_changes").isEmpty)
    try await control.host.close()
  }

  @Test func `that are installed are listed`() async throws {
    let control = try await ControlHost()
    try await control.host.setTenants(
      TestTenants(
        installed: #"""
          [{"id":"chat","version":"1.0.0","versions":["1.0.0"],"scopes":["messages.read"],"summary":"Chat","tenants":"apps","config_schema":{}}]
          """#))
    let reply = try await control.request("GET", "/v1/plugins")
    #expect(reply.status == 200)
    #expect(try reply.json(Listed.self).data.map(\.id) == ["chat"])
    try await control.host.close()
  }

  @Test func `are listed page by page, in the order of their ids`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let names = ["chat", "auth", "realtime", "mailer"]
    let installed = names.map {
      #"{"id":"\#($0)","version":"1.0.0","versions":[],"scopes":[],"summary":"","tenants":"both","config_schema":{"a":1.0}}"#
    }
    var tenants = try await control.host.tenants
    tenants.installed = RawJSON(unchecked: Array("[\(installed.joined(separator: ","))]".utf8))
    try await control.host.setTenants(tenants)
    for name in names {
      _ = try await control.request(
        "PUT", "/v1/apps/\(app.id)/plugins/\(name)", #"{"enabled":true}"#)
    }
    for path in ["/v1/plugins", "/v1/apps/\(app.id)/plugins"] {
      var pages: [[String]] = []
      var place = ""
      repeat {
        let reply = try await control.request("GET", path + "?limit=3" + place)
        let page = try reply.json(Listed.self)
        pages.append(page.data.map(\.id))
        place = page.next.map { "&after=" + $0 } ?? ""
        if path == "/v1/plugins" { #expect(reply.text.contains(#""config_schema":{"a":1.0}"#)) }
      } while !place.isEmpty
      #expect(pages == [["auth", "chat", "mailer"], ["realtime"]], "\(path)")
    }
    try await control.host.close()
  }

  @Test func `are not there once the tenant is gone`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.host.setTenants(TestTenants())
    #expect(try await control.request("GET", "/v1/apps/\(app.id)/plugins").status == 404)
    let reply = try await control.request(
      "PUT", "/v1/apps/\(app.id)/plugins/chat", #"{"enabled":true}"#)
    #expect(reply.status == 404)
    try await control.host.close()
  }

  @Test(arguments: [Status.invalid, .config])
  func `are refused with the host's reasons under /config`(status: Status) throws {
    let text = #"[{"pointer":"/size","message":"must be at least 1"},{"pointer":"","message":"x"}]"#
    let problem = try #require(
      ControlShard.problem(HostError(status, text), plugin: "chat") as? Problem)
    #expect(problem.status == 400 && problem.code == "invalid_request")
    #expect(problem.errors.map(\.pointer) == ["/config/size", "/config"])
    #expect(problem.errors.map(\.message) == ["must be at least 1", "x"])
    let plain = ControlShard.problem(HostError(status, "too large"), plugin: "chat") as? Problem
    #expect(plain?.errors.map(\.pointer) == ["/config"] && plain?.errors[0].message == "too large")
    let mute = ControlShard.problem(HostError(status), plugin: "chat") as? Problem
    #expect(mute?.status == 400 && mute?.errors.isEmpty == true)
  }

  @Test func `are refused where they would not fit together, or are not installed`() {
    let conflict = ControlShard.problem(
      HostError(.conflict, "chat needs sluice.authenticator/1"), plugin: "auth")
    #expect((conflict as? Problem)?.status == 409)
    #expect((conflict as? Problem)?.detail == "chat needs sluice.authenticator/1")
    let mute = ControlShard.problem(HostError(.conflict), plugin: "auth")
    #expect((mute as? Problem)?.detail.isEmpty == false)
    let unknown = ControlShard.problem(HostError(.notFound), plugin: "chta")
    #expect((unknown as? Problem)?.status == 404)
    #expect((unknown as? Problem)?.detail.contains("chta") == true)
    let full = ControlShard.problem(HostError(.storageFull), plugin: "chat")
    #expect(full as? HostError == HostError(.storageFull))
  }

  @Test(arguments: ["{}", #"{"enabled":1}"#, #"{"enabled":true,"config":[]}"#, #"{"on":true}"#])
  func `are refused by the manifest where the request is malformed`(body: String) async throws {
    let control = try await ControlHost()
    #expect(try control.refuses("PUT", "/v1/apps/app_x/plugins/chat", body))
    try await control.host.close()
  }
}
