import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `What an app uses` {
  private struct Seen: Decodable {
    struct Hour: Decodable {
      var hour: String
      var requests: Int
      var messages: Int
      var connections: Int
    }

    var plan: String
    var data: [Hour]
    var next: String?
  }

  private func host(_ usage: String) async throws -> (ControlHost, app: String) {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    var tenants = try await control.host.tenants
    tenants.tenants[app.id]?.usage = RawJSON(unchecked: Array(usage.utf8))
    try await control.host.setTenants(tenants)
    return (control, app.id)
  }

  @Test func `is told to its owner, with the plan`() async throws {
    let (control, app) = try await host(
      #"""
      {"plan":"paid","quotas":[{"quota":"plugins","limit":5,"used":3}],
       "hours":[{"hour_ms":1767222000000,"requests":7,"messages":2,"connections":1}]}
      """#)
    let reply = try await control.request("GET", "/v1/apps/\(app)/usage")
    let seen = try reply.json(Seen.self)
    #expect(seen.plan == "paid" && seen.next == nil)
    #expect(seen.data.map(\.hour) == ["2025-12-31T23:00:00.000Z"])
    #expect(seen.data.first?.requests == 7 && seen.data.first?.connections == 1)
    #expect(reply.text.contains(#"{"quota":"plugins","limit":5,"used":3}"#))
    let other = try await control.request(
      "GET", "/v1/apps/\(app)/usage", as: .account("acc_eve"))
    #expect(other.status == 404)
    try await control.host.close()
  }

  @Test func `is that of the last day when nothing is said`() async throws {
    let (control, app) = try await host(#"{"plan":"free","quotas":[],"hours":[]}"#)
    _ = try await control.request("GET", "/v1/apps/\(app)/usage")
    let now: Int64 = 1_767_225_600_000
    #expect(
      try await control.host.tenants.tenants[app]?.usageAsked == now + 1 - 86_400_000..<now + 1)
    _ = try await control.request(
      "GET", "/v1/apps/\(app)/usage?from=2025-12-01T00:00:00Z&to=2025-12-02T00:00:00Z")
    #expect(
      try await control.host.tenants.tenants[app]?.usageAsked
        == 1_764_547_200_000..<1_764_633_600_000)
    let turned = try await control.request(
      "GET", "/v1/apps/\(app)/usage?from=2025-12-02T00:00:00Z&to=2025-12-01T00:00:00Z")
    #expect(turned.status == 400)
    try await control.host.close()
  }

  @Test func `goes on where a long answer ends`() async throws {
    let hours = (0..<1_000).map {
      #"{"hour_ms":\#($0 * 3_600_000),"requests":1,"messages":0,"connections":0}"#
    }.joined(separator: ",")
    let (control, app) = try await host(#"{"plan":"free","quotas":[],"hours":[\#(hours)]}"#)
    let seen: Seen = try await control.request("GET", "/v1/apps/\(app)/usage").json()
    #expect(seen.data.count == 1_000 && seen.next == "1970-02-11T16:00:00.000Z")
    // A page that is asked to be shorter is.
    let path = "/v1/apps/\(app)/usage?limit=3&to=2025-12-02T00:00:00Z&from=2025-12-01T00:00:00Z"
    let short: Seen = try await control.request("GET", path).json()
    #expect(short.data.count == 3 && short.next == "1970-01-01T03:00:00.000Z")
    // What is after stands over where all of it began.
    _ = try await control.request("GET", path + "&after=2025-12-01T12:00:00.000Z")
    #expect(
      try await control.host.tenants.tenants[app]?.usageAsked
        == 1_764_590_400_000..<1_764_633_600_000)
    let late = try await control.request("GET", path + "&after=2025-12-03T00:00:00.000Z")
    #expect(late.status == 400 && late.problem?.errors?.first?.pointer == "/query/after")
    try await control.host.close()
  }
}
