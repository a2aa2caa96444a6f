import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `The proof of a domain` {
  private struct Shown: Decodable {
    struct Proof: Decodable {
      struct Record: Decodable, Equatable {
        var type: String
        var name: String
        var value: String
      }

      var record: Record
      var checks: Int
      var expiresAt: String
      var failure: String?

      enum CodingKeys: String, CodingKey {
        case record, checks, failure
        case expiresAt = "expires_at"
      }
    }

    var host: String
    var state: String
    var proof: Proof?
  }

  /// No name server answers: port 1 of this machine is nobody's.
  private static let proving = ControlHost.settings(
    #""domain_proof":"none""#, #""domain_proof":"dns""#)

  private func ask(
    _ control: ControlHost, _ method: String, _ app: MadeApp, _ path: String, _ body: String = "",
    as name: String = "ada"
  ) async throws -> TestReply {
    try await control.request(
      method, "/v1/apps/\(app.id)/domains\(path)", body, as: .account("acc_\(name)"))
  }

  @Test func `is asked for before the host leads anywhere`() async throws {
    let control = try await ControlHost(settings: Self.proving)
    let app = try await control.makeApp()
    let put = try await ask(control, "PUT", app, "/a.customers.example", "{}")
    #expect(put.status == 200)
    let shown = try put.json(Shown.self)
    let proof = try #require(shown.proof)
    #expect(shown.state == "pending" && proof.checks == 0 && proof.failure == nil)
    #expect(proof.record.type == "TXT")
    #expect(proof.record.name == "_sluice-challenge.a.customers.example")
    #expect(proof.record.value.hasPrefix("sluice-domain=") && proof.record.value.count == 54)
    // The record stays the same, however often it is asked for.
    let again = try await ask(control, "PUT", app, "/a.customers.example", "{}")
    #expect(again.text == put.text)
    #expect(try await ask(control, "GET", app, "/a.customers.example").text == put.text)
    #expect(try await ask(control, "GET", app, "").text.contains(put.text))
    let certificate = try await ask(
      control, "PUT", app, "/a.customers.example", #"{"certificate":"CHAIN","key":"KEY"}"#)
    #expect(certificate.status == 409)
    #expect(try await control.host.tenants.tenants[app.id]?.hosts == [])
    // Another app may want it too, with a record of its own.
    let theirs = try await control.makeApp(as: .account("acc_eve"))
    let other = try await ask(control, "PUT", theirs, "/a.customers.example", "{}", as: "eve")
    #expect(try other.json(Shown.self).proof?.record.name == proof.record.name)
    #expect(try other.json(Shown.self).proof?.record.value != proof.record.value)
    #expect(try await ask(control, "DELETE", app, "/a.customers.example").status == 204)
    #expect(try await ask(control, "GET", app, "/a.customers.example").status == 404)
    #expect(try await ask(control, "DELETE", app, "/a.customers.example").status == 404)
    try await control.host.close()
  }

  @Test func `is not asked for of a name that is the platform's own`() async throws {
    var tenants = TestTenants()
    tenants.platformHosts = ["login.customers.example"]
    let control = try await ControlHost(tenants: tenants, settings: Self.proving)
    let app = try await control.makeApp()
    let refused = try await ask(control, "PUT", app, "/login.customers.example", "{}")
    #expect(refused.status == 409 && refused.problem?.detail.contains("platform's own") == true)
    #expect(try await ask(control, "GET", app, "/login.customers.example").status == 404)
    #expect(try await ask(control, "PUT", app, "/shop.customers.example", "{}").status == 200)
    try await control.host.close()
  }

  @Test func `is looked for once in five seconds, and says why there is none`() async throws {
    let control = try await ControlHost(settings: Self.proving)
    let app = try await control.makeApp()
    for host in ["/a.customers.example", "/b.customers.example"] {
      #expect(try await ask(control, "PUT", app, host, "{}").status == 200)
    }
    let first = try await ask(control, "POST", app, "/a.customers.example/verify")
    #expect(first.status == 200)
    let shown = try first.json(Shown.self)
    #expect(shown.state == "pending" && shown.proof?.checks == 1)
    #expect(shown.proof?.failure?.hasPrefix("No name server has answered") == true)
    #expect(try await ask(control, "GET", app, "/a.customers.example").text == first.text)
    for host in ["/a.customers.example", "/b.customers.example"] {
      let soon = try await ask(control, "POST", app, host + "/verify")
      #expect(soon.status == 429 && soon.header("retry-after") == "5")
    }
    try await control.host.advance(milliseconds: 5_000)
    let second = try await ask(control, "POST", app, "/b.customers.example/verify")
    #expect(second.status == 200)
    #expect(try await control.host.tenants.tenants[app.id]?.hosts == [])
    #expect(try await ask(control, "POST", app, "/c.customers.example/verify").status == 404)
    try await control.host.close()
  }

  @Test func `is waited for by so many hosts of an app at once`() async throws {
    let control = try await ControlHost(settings: Self.proving)
    let app = try await control.makeApp()
    for host in ["/a.customers.example", "/b.customers.example", "/a.customers.example"] {
      #expect(try await ask(control, "PUT", app, host, "{}").status == 200)
    }
    let third = try await ask(control, "PUT", app, "/c.customers.example", "{}")
    #expect(third.status == 403 && third.problem?.code == "quota_exceeded")
    #expect(try await ask(control, "DELETE", app, "/a.customers.example").status == 204)
    #expect(try await ask(control, "PUT", app, "/c.customers.example", "{}").status == 200)
    try await control.host.close()
  }

  @Test func `is waited for so long`() async throws {
    let control = try await ControlHost(settings: Self.proving)
    let app = try await control.makeApp()
    let hosts = ["/a.customers.example", "/b.customers.example"]
    for host in hosts { #expect(try await ask(control, "PUT", app, host, "{}").status == 200) }
    let first = try await ask(control, "GET", app, hosts[0]).json(Shown.self)
    #expect(first.proof?.expiresAt == "2026-01-01T01:00:00.000Z")
    #expect(try await ask(control, "PUT", app, "/c.customers.example", "{}").status == 403)
    try await control.host.advance(milliseconds: 3_599_999)
    #expect(try await ask(control, "GET", app, hosts[0]).status == 200)
    try await control.host.advance(milliseconds: 1)
    // Over at once, whether or not the row has been swept.
    #expect(try await ask(control, "GET", app, hosts[0]).status == 404)
    #expect(try await ask(control, "POST", app, hosts[0] + "/verify").status == 404)
    #expect(try await ask(control, "GET", app, "").text.contains("customers") == false)
    // There is room again, and who asks anew gets another record.
    #expect(try await ask(control, "PUT", app, "/c.customers.example", "{}").status == 200)
    let again = try await ask(control, "PUT", app, hosts[0], "{}").json(Shown.self)
    #expect(again.proof != nil && again.proof?.record != first.proof?.record)
    try await control.host.advance(milliseconds: 3_900_000)
    try await control.host.settle()
    #expect(try await control.host.execute("SELECT * FROM control_domain_claims").isEmpty)
    try await control.host.close()
  }

  @Test func `is the operator's word where a host is given to one app by name`() async throws {
    let rows = """
      INSERT INTO control_apps (id, account_id, name, plan, state, created_at, updated_at) VALUES
        ('app_nobody', 'acc_ada', 'a', 'free', 'ready', 1767225000000, 1767225000000);
      INSERT INTO control_members VALUES ('app_nobody', 'acc_ada', 'owner', 1767225000000);
      INSERT INTO control_domain_claims (host, app_id, token, created_at, checks)
        VALUES ('shop.example', 'app_nobody', 'x', 1767225000000, 3);
      """
    let tenants = TestTenants(tenants: ["app_nobody": TestTenants.Tenant()])
    let control = try await ControlHost(rows: rows, tenants: tenants, settings: Self.proving)
    let path = "/v1/apps/app_nobody/domains/shop.example"
    #expect(try await control.request("GET", path).json(Shown.self).state == "pending")
    // What waited for a proof before the operator said so waits no more.
    let verified = try await control.request("POST", path + "/verify")
    #expect(try verified.json(Shown.self).state == "proven")
    #expect(try await control.host.tenants.tenants["app_nobody"]?.hosts == ["shop.example"])
    #expect(try await control.host.execute("SELECT * FROM control_domain_claims").isEmpty)
    #expect(try await control.request("DELETE", path).status == 204)
    let put = try await control.request("PUT", path, "{}")
    #expect(try put.json(Shown.self).state == "proven")
    try await control.host.close()
  }

  @Test func `is not asked for any host without one`() async throws {
    for proof in ["dns", "none"] {
      let text = ControlHost.settings.text
        .replacing(#""domain_proof":"none""#, with: #""domain_proof":"\#(proof)""#)
        .replacing("*.customers.example", with: "*")
      let settings = RawJSON(unchecked: Array(text.utf8))
      if proof == "none" {
        let error = await #expect(throws: ConfigurationError.self) {
          try await ControlHost(settings: settings)
        }
        #expect(error?.pointer == "/domains/0/host")
      } else {
        let control = try await ControlHost(settings: settings)
        let app = try await control.makeApp()
        #expect(try await ask(control, "PUT", app, "/any.example", "{}").status == 200)
        try await control.host.close()
      }
    }
  }

  @Test func `is looked for in four threads at once, and once for each account`() {
    let desk = ProofDesk()
    #expect(desk.enter("acc_1"))
    #expect(!desk.enter("acc_1"))
    for number in 2...4 { #expect(desk.enter("acc_\(number)")) }
    #expect(!desk.enter("acc_5"))
    desk.leave("acc_2")
    #expect(desk.enter("acc_5"))
  }
}

@Suite struct `An answer of a name server` {
  /// A message with a question for `a.` and the records that are given (RFC 1035 §4.1).
  private static func message(_ records: [(type: UInt8, data: [UInt8])]) -> [UInt8] {
    var message: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
    message += [1, UInt8(ascii: "a"), 0, 0, 16, 0, 1]
    for record in records {
      // The name is where the question has it (§4.1.4).
      message += [0xC0, 12, 0, record.type, 0, 1, 0, 0, 0, 0]
      message += [UInt8(record.data.count >> 8), UInt8(record.data.count & 0xFF)] + record.data
    }
    return message
  }

  private static func strings(_ texts: String...) -> [UInt8] {
    texts.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
  }

  @Test func `has each record's strings in one piece, whatever else is there`() {
    let answer = NameServer.texts(
      in: Self.message([
        (5, [1, UInt8(ascii: "b"), 0]), (16, Self.strings("one")),
        (16, Self.strings("t", "w", "o")), (16, Self.strings("")),
      ]))
    #expect(answer == .texts(["one", "two", ""]))
  }

  @Test func `has none where there is no text`() {
    #expect(NameServer.texts(in: Self.message([])) == .nothing)
    #expect(NameServer.texts(in: Self.message([(5, [1, UInt8(ascii: "b"), 0])])) == .nothing)
    // A string that goes on behind its record.
    #expect(NameServer.texts(in: Self.message([(16, [4, 65, 66])])) == .nothing)
  }

  @Test func `is as good as none when it is malformed`() {
    let whole = Self.message([(16, Self.strings("one"))])
    for length in 0..<whole.count {
      #expect(NameServer.texts(in: Array(whole.prefix(length))) == .silence, "\(length) bytes")
    }
  }

  @Test(arguments: ["127.0.0.1", "127.0.0.1:5353", "", "8.8.8.8:53"])
  func `comes from where the settings say`(text: String) throws {
    #expect((try NameServer(text).address == nil) == text.isEmpty)
  }

  @Test(arguments: [
    "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":53", "::1", "1.2.3",
    "1.2.3.4:5:6",
  ])
  func `comes from nowhere else`(text: String) {
    let error = #expect(throws: ConfigurationError.self) { try NameServer(text) }
    #expect(error?.pointer == "/dns_server")
  }
}
