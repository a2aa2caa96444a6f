import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `A domain of an app` {
  private struct Shown: Decodable {
    struct Certificate: Decodable {
      var names: [String]
    }

    var host: String
    var certificate: Certificate?
  }

  private func put(
    _ control: ControlHost, _ app: MadeApp, _ host: String, _ body: String = "{}",
    as name: String = "ada"
  ) async throws -> TestReply {
    try await control.request(
      "PUT", "/v1/apps/\(app.id)/domains/\(host)", body, as: .account("acc_\(name)"))
  }

  @Test func `leads to it with its certificate, and no more once it is deleted`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let plain = try await put(control, app, "A.customers.example")
    #expect(try plain.json(Shown.self).host == "a.customers.example")
    #expect(try plain.json(Shown.self).certificate == nil)
    let secure = try await put(
      control, app, "a.customers.example", #"{"certificate":"CHAIN","key":"KEY"}"#)
    #expect(try secure.json(Shown.self).certificate?.names == ["a.customers.example"])
    #expect(!secure.text.contains("KEY"))
    var tenant = try #require(try await control.host.tenants.tenants[app.id])
    #expect(tenant.hosts == ["a.customers.example"])
    #expect(tenant.certificates["a.customers.example"] == Array("CHAIN".utf8))
    let path = "/v1/apps/\(app.id)/domains"
    let list = try await control.request("GET", path)
    #expect(list.text.contains("not_after") && !list.text.contains("KEY"))
    #expect(try await control.request("GET", path + "/a.customers.example").status == 200)
    // What is not given again stays.
    let again = try await put(control, app, "a.customers.example")
    #expect(try again.json(Shown.self).certificate != nil)
    let log = try await control.request("GET", "/v1/apps/\(app.id)/audit")
    #expect(log.text.contains("domain.changed") && !log.text.contains("KEY"))
    let end = try await control.request("DELETE", path + "/a.customers.example")
    #expect(end.status == 204)
    #expect(try await control.request("DELETE", path + "/a.customers.example").status == 404)
    tenant = try #require(try await control.host.tenants.tenants[app.id])
    #expect(tenant.hosts == [] && tenant.certificates.isEmpty)
    try await control.host.close()
  }

  @Test func `is one that the operator has granted, and nobody else's`() async throws {
    let control = try await ControlHost()
    let mine = try await control.makeApp()
    let theirs = try await control.makeApp(as: .account("acc_eve"))
    for host in ["evil.example", "customers.example", "xcustomers.example", "shop.example"] {
      let reply = try await put(control, mine, host)
      #expect(reply.status == 403 && reply.problem?.code == "forbidden", "\(host)")
    }
    #expect(try await put(control, mine, "a.customers.example").status == 200)
    let taken = try await put(control, theirs, "a.customers.example", as: "eve")
    #expect(taken.status == 409)
    let path = "/v1/apps/\(theirs.id)/domains/a.customers.example"
    let eve = Principal.account("acc_eve")
    #expect(try await control.request("GET", path, as: eve).status == 404)
    #expect(try await control.request("DELETE", path, as: eve).status == 404)
    #expect(try await control.host.tenants.tenants[mine.id]?.hosts == ["a.customers.example"])
    let log = try await control.request("GET", "/v1/apps/\(theirs.id)/audit", as: eve)
    #expect(log.text.contains(#""outcome":"failed""#))
    try await control.host.close()
  }

  @Test func `is none of the platform's own, whatever is granted`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    var tenants = try await control.host.tenants
    tenants.platformHosts = ["console.customers.example"]
    try await control.host.setTenants(tenants)
    let reply = try await put(control, app, "console.customers.example")
    #expect(reply.status == 409 && reply.problem?.detail == "It is the platform's.")
    #expect(try await control.host.tenants.tenants[app.id]?.hosts == [])
    let list = try await control.request("GET", "/v1/apps/\(app.id)/domains")
    #expect(try list.json(Listed.self).data.isEmpty)
    try await control.host.close()
  }

  @Test(arguments: ["localhost", "127.0.0.1", "a..example", "-a.example", "a_b.example", "a.b%20c"])
  func `is refused where it is no host name`(host: String) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    #expect(try await put(control, app, host).status == 400)
    try await control.host.close()
  }

  @Test func `is refused with half a certificate`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let chain = try await put(control, app, "a.customers.example", #"{"certificate":"x"}"#)
    #expect(chain.problem?.errors?.map(\.pointer) == ["/key"])
    let key = try await put(control, app, "a.customers.example", #"{"key":"x"}"#)
    #expect(key.problem?.errors?.map(\.pointer) == ["/certificate"])
    try await control.host.close()
  }
}

@Suite struct `How an app looks` {
  @Test func `is put, read, and left where the app's pages find it`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let path = "/v1/apps/\(app.id)/branding"
    #expect(try await control.request("GET", path).text == #"{"colors":{}}"#)
    let put = try await control.request(
      "PUT", path,
      ##"{"name":"Shop","logo_url":"https://cdn.example/l.svg","colors":{"primary":"#aB0012"}}"##)
    #expect(put.status == 200)
    #expect(try await control.request("GET", path).text == put.text)
    let secrets = try #require(try await control.host.tenants.tenants[app.id]?.secrets)
    #expect(secrets["tenant.branding"] == Array(put.text.utf8))
    let other = try await control.request("PUT", path, #"{"name":"Market"}"#)
    #expect(other.text == #"{"name":"Market","colors":{}}"#)
    let bad = try await control.request("PUT", path, ##"{"colors":{"Bad Name":"#000000"}}"##)
    #expect(bad.status == 400)
    try await control.host.close()
  }

  @Test(arguments: [
    #"{"logo_url":"http://cdn.example/l.svg"}"#, #"{"logo_url":"javascript:alert(1)"}"#,
    #"{"logo_url":"https://cdn.example/a'b"}"#, #"{"logo_url":"https://cdn.example/a\"b"}"#,
    #"{"logo_url":"https://cdn.example/a\u0000"}"#, #"{"logo_url":"https://cdn.example/\u001fa"}"#,
    #"{"logo_url":"https://cdn.example/a\nb"}"#, #"{"logo_url":"https://cdn.example/a\u007f"}"#,
    #"{"logo_url":"https://cdn.example/a b"}"#, #"{"logo_url":"https://cdn.example/ü"}"#,
    #"{"logo_url":"https://cdn.example/a<b>"}"#, #"{"logo_url":"https://cdn.example/a\\b"}"#,
    #"{"logo_url":"https://cdn.example/a`b"}"#, #"{"logo_url":"https://cdn.example/{a}"}"#,
    #"{"logo_url":"https://me@cdn.example/l.svg"}"#,
    #"{"logo_url":"https://me:word@cdn.example/l.svg"}"#,
    #"{"logo_url":"https://me:1@cdn.example"}"#,
    #"{"logo_url":"https:///l.svg"}"#, #"{"logo_url":"https://?l.svg"}"#,
    #"{"logo_url":"https:l.svg"}"#,
    #"{"logo_url":"//cdn.example/l.svg"}"#, #"{"logo_url":"https://a..b/l.svg"}"#,
    #"{"logo_url":"https://cdn.example:port/"}"#, #"{"logo_url":" https://cdn.example/"}"#,
    #"{"colors":{"a":"red"}}"#, #"{"name":""}"#, #"{"name":"a\u0000b"}"#, #"{"css":"*{}"}"#,
  ])
  func `is refused by the manifest where a page would not be safe with it`(body: String)
    async throws
  {
    let control = try await ControlHost()
    #expect(try control.refuses("PUT", "/v1/apps/app_x/branding", body))
    try await control.host.close()
  }

  @Test(arguments: [
    "https://cdn.example/l.svg", "https://cdn.example",
    "https://cdn.example:8443/a/b.png?v=1&w=(2)#top",
    "https://xn--bcher-kva.example/%C3%BC/@2x,1;a=b~c!$*+", "https://[2001:db8::1]:443/l.svg",
  ])
  func `has any logo that https leads to`(url: String) async throws {
    let control = try await ControlHost()
    #expect(
      try !control.refuses("PUT", "/v1/apps/app_x/branding", #"{"logo_url":"\#(url)"}"#))
    try await control.host.close()
  }
}
