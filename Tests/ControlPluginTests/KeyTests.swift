import PluginKit
import Testing

@testable import ControlPlugin
@testable import PluginTesting

@Suite struct `A key` {
  private struct Made: Decodable {
    var id: String
    var key: String
    var secret: String
    var name: String
    var scopes: [String]
    var expiresAt: String?

    enum CodingKeys: String, CodingKey {
      case id, key, secret, name, scopes
      case expiresAt = "expires_at"
    }
  }

  @Test func `is made with the scopes and the end that were asked for`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let reply = try await control.request(
      "POST", "/v1/apps/\(app.id)/keys",
      #"{"name":"ci","scopes":["chat.write","users.read"],"expires_at":"2026-02-01T00:00:00Z"}"#)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    let key: Made = try reply.json()
    #expect(key.id.hasPrefix("key_") && key.key.hasPrefix("pk_") && key.secret.hasPrefix("sk_"))
    #expect(key.scopes == ["chat.write", "users.read"])
    #expect(key.expiresAt == "2026-02-01T00:00:00.000Z")
    let credential = try #require(
      try await control.host.tenants.tenants[app.id]?.credentials[key.id]?.credential)
    #expect(credential.digest == sha256(key.secret))
    #expect(credential.scopes == ["chat.write", "users.read"])
    #expect(credential.expiresAt == Timestamp(unixMilliseconds: 1_769_904_000_000))
    try await control.host.close()
  }

  @Test func `may do everything where nothing else is asked for`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key: Made = try await control.request(
      "POST", "/v1/apps/\(app.id)/keys", #"{"name":"all"}"#
    ).json()
    #expect(key.scopes == ["*"] && key.expiresAt == nil)
    try await control.host.close()
  }

  @Test func `is listed without its secret half`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    try await control.host.advance(milliseconds: 5)
    let key: Made = try await control.request(
      "POST", "/v1/apps/\(app.id)/keys", #"{"name":"ci"}"#
    ).json()
    let reply = try await control.request("GET", "/v1/apps/\(app.id)/keys")
    let list: Listed = try reply.json()
    #expect(list.data.map(\.name) == ["default", "ci"])
    #expect(reply.text.contains(key.key))
    #expect(!reply.text.contains("sk_") && !reply.text.contains("secret"))
    let page: Listed = try await control.request("GET", "/v1/apps/\(app.id)/keys?limit=1").json()
    #expect(page.next == app.keys.first?.id)
    try await control.host.close()
  }

  @Test func `lets nobody in once it was deleted`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first)
    #expect(try await control.request("DELETE", "/v1/apps/\(app.id)/keys/\(key.id)").status == 204)
    let credentials = try #require(try await control.host.tenants.tenants[app.id]?.credentials)
    #expect(credentials.values.allSatisfy { $0.revokedAt != nil } && credentials.count == 2)
    let again = try await control.request("DELETE", "/v1/apps/\(app.id)/keys/\(key.id)")
    #expect(again.status == 404)
    #expect(
      try await control.request("GET", "/v1/apps/\(app.id)/keys").json(Listed.self).data.isEmpty)
    try await control.host.close()
  }

  @Test func `is listed with the time of its last use`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first)
    let before = try await control.request("GET", "/v1/apps/\(app.id)/keys")
    #expect(!before.text.contains("last_used_at"))
    var tenants = try await control.host.tenants
    tenants.tenants[app.id]?.credentials[key.id]?.lastUsedAt = 1_767_225_600_000
    try await control.host.setTenants(tenants)
    let after = try await control.request("GET", "/v1/apps/\(app.id)/keys")
    #expect(after.text.contains(#""last_used_at":"2026-01-01T00:00:00.000Z""#))
    try await control.host.close()
  }

  @Test func `keeps the time of its last use over a rotation without grace`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first)
    var tenants = try await control.host.tenants
    tenants.tenants[app.id]?.credentials[key.id]?.lastUsedAt = 1_767_225_600_000
    try await control.host.setTenants(tenants)
    let path = "/v1/apps/\(app.id)/keys"
    for _ in 0..<2 {
      let rotation = try await control.request(
        "POST", "\(path)/\(key.id)/rotate", #"{"grace_seconds":0}"#)
      #expect(rotation.status == 200)
      // The host forgets what is gone.
      var tenants = try await control.host.tenants
      tenants.tenants[app.id]?.credentials[key.id] = nil
      try await control.host.setTenants(tenants)
      let after = try await control.request("GET", path)
      #expect(after.text.contains(#""last_used_at":"2026-01-01T00:00:00.000Z""#))
    }
    try await control.host.close()
  }

  @Test func `says of the secret before that it ends with the key, if not earlier`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let path = "/v1/apps/\(app.id)/keys"
    let made: Made = try await control.request(
      "POST", path, #"{"name":"x","expires_at":"2026-01-01T00:30:00Z"}"#
    ).json()
    for (grace, end) in [(60, "00:01:00"), (3_600, "00:30:00")] {
      let rotated: Rotated = try await control.request(
        "POST", "\(path)/\(made.id)/rotate", #"{"grace_seconds":\#(grace)}"#
      ).json()
      #expect(rotated.previousExpiresAt == "2026-01-01T\(end).000Z")
      let list = try await control.request("GET", path)
      #expect(list.text.contains(#""previous_expires_at":"2026-01-01T\#(end).000Z""#))
    }
    try await control.host.close()
  }

  @Test
  func `may have the scopes that plugins of apps ask for, and keeps those of one that is gone`()
    async throws
  {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let keys = "/v1/apps/\(app.id)/keys"
    let refused = try await control.request("POST", keys, #"{"name":"x","scopes":["chat.raed"]}"#)
    #expect(
      refused.problem?.detail.hasSuffix("There are *, a.b, chat.read, chat.write, users.read.")
        == true)
    let made = try await control.request("POST", keys, #"{"name":"x","scopes":["chat.read"]}"#)
    let key: Made = try made.json()
    var tenants = try await control.host.tenants
    tenants.installed = "[]"
    try await control.host.setTenants(tenants)
    let path = "\(keys)/\(key.id)"
    #expect(
      try await control.request("PATCH", path, #"{"scopes":["chat.read","*"]}"#).status == 200)
    #expect(try await control.request("PATCH", path, #"{"scopes":["users.read"]}"#).status == 400)
    try await control.host.close()
  }

  @Test func `is given another name and other scopes`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first)
    let path = "/v1/apps/\(app.id)/keys/\(key.id)"
    let named = try await control.request("PATCH", path, #"{"name":"web"}"#)
    #expect(named.status == 200 && named.text.contains(#""name":"web""#))
    #expect(named.text.contains(#""scopes":["*"]"#))
    let narrow = try await control.request("PATCH", path, #"{"scopes":["chat.read"]}"#)
    #expect(narrow.text.contains(#""name":"web""#) && narrow.text.contains(#"["chat.read"]"#))
    let credentials = try await control.host.tenants.tenants[app.id]?.credentials
    #expect(credentials?[key.id]?.credential.scopes == ["chat.read"])
    #expect(credentials?[key.id + ".public"]?.credential.scopes == ["public"])
    #expect(try await control.request("PATCH", path, #"{"scopes":["A"]}"#).status == 400)
    let list = try await control.request("GET", "/v1/apps/\(app.id)/keys")
    #expect(list.text.contains(#"["chat.read"]"#))
    try await control.host.close()
  }

  private struct Rotated: Decodable {
    var id: String
    var key: String
    var secret: String
    var previousExpiresAt: String

    enum CodingKeys: String, CodingKey {
      case id, key, secret
      case previousExpiresAt = "previous_expires_at"
    }
  }

  @Test func `gets a new secret beside which the old one is good for a while`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first)
    let path = "/v1/apps/\(app.id)/keys/\(key.id)"
    let reply = try await control.request("POST", path + "/rotate", #"{"grace_seconds":60}"#)
    #expect(reply.status == 200 && reply.header("cache-control") == "no-store")
    let rotated: Rotated = try reply.json()
    #expect(rotated.id == key.id && rotated.key == key.key && rotated.secret != key.secret)
    #expect(rotated.previousExpiresAt == "2026-01-01T00:01:00.000Z")
    let credentials = try #require(try await control.host.tenants.tenants[app.id]?.credentials)
    #expect(credentials[key.id]?.revokedAt == 1_767_225_660_000)
    let new = try #require(
      credentials.values.first { $0.credential.digest == sha256(rotated.secret) })
    #expect(new.credential.id.hasPrefix(key.id + ".") && new.revokedAt == nil)
    #expect(new.credential.scopes == ["*"])
    let during = try await control.request("GET", "/v1/apps/\(app.id)/keys")
    #expect(during.text.contains("previous_expires_at"))
    try await control.host.advance(milliseconds: 60_000)
    let after = try await control.request("GET", "/v1/apps/\(app.id)/keys")
    #expect(!after.text.contains("previous_expires_at") && after.text.contains("rotated_at"))
    #expect(try await control.request("DELETE", path).status == 204)
    let left = try #require(try await control.host.tenants.tenants[app.id]?.credentials)
    #expect(left.values.allSatisfy { $0.revokedAt != nil })
    try await control.host.close()
  }

  @Test func `has so many good secrets, and no rotation once it has expired`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let key = try #require(app.keys.first)
    let path = "/v1/apps/\(app.id)/keys/\(key.id)/rotate"
    for _ in 0..<4 {
      #expect(try await control.request("POST", path, #"{"grace_seconds":3600}"#).status == 200)
    }
    let over = try await control.request("POST", path, #"{"grace_seconds":3600}"#)
    #expect(over.status == 403 && over.problem?.code == "quota_exceeded")
    // Who has to shut a thief out is not told to wait.
    let reply = try await control.request("POST", path, #"{"grace_seconds":0}"#)
    let last: Rotated = try reply.json()
    let credentials = try #require(try await control.host.tenants.tenants[app.id]?.credentials)
    let now = try #require(credentials[key.id]?.revokedAt)
    #expect(reply.status == 200 && now <= 1_767_225_600_000)
    let good = credentials.values.filter {
      $0.credential.id.hasPrefix(key.id) && $0.revokedAt == nil
    }
    #expect(
      Set(good.map(\.credential.digest)).isSuperset(of: [sha256(last.secret)])
        && good.filter { !$0.credential.id.hasSuffix(".public") }.count == 1)
    let made: Made = try await control.request(
      "POST", "/v1/apps/\(app.id)/keys", #"{"name":"x","expires_at":"2026-01-01T02:00:00Z"}"#
    ).json()
    try await control.host.advance(milliseconds: 7_200_000)
    let late = try await control.request(
      "POST", "/v1/apps/\(app.id)/keys/\(made.id)/rotate", #"{"grace_seconds":0}"#)
    #expect(late.status == 409)
    #expect(try control.refuses("POST", path, #"{"grace_seconds":-1}"#))
    #expect(try control.refuses("POST", path, "{}"))
    try await control.host.close()
  }

  @Test func `of another app cannot be deleted through one's own`() async throws {
    let control = try await ControlHost()
    let mine = try await control.makeApp()
    let theirs = try await control.makeApp(as: .account("acc_eve"))
    let key = try #require(theirs.keys.first)
    let reply = try await control.request("DELETE", "/v1/apps/\(mine.id)/keys/\(key.id)")
    #expect(reply.status == 404)
    let credential = try await control.host.tenants.tenants[theirs.id]?.credentials[key.id]
    #expect(credential?.revokedAt == nil)
    try await control.host.close()
  }

  @Test(arguments: [
    (#"{"name":"x","scopes":["chat.write","Chat"]}"#, "/scopes/1"),
    (#"{"name":"x","scopes":["chat.*"]}"#, "/scopes/0"),
    (#"{"name":"x","scopes":["a b"]}"#, "/scopes/0"),
    (#"{"name":"x","scopes":["a..b"]}"#, "/scopes/0"),
    (#"{"name":"x","scopes":["1a"]}"#, "/scopes/0"),
    (#"{"name":"x","scopes":["*","chat.raed"]}"#, "/scopes/1"),
    (#"{"name":"x","scopes":["console.use"]}"#, "/scopes/0"),
    (#"{"name":"x","expires_at":"2026-01-01T00:00:00Z"}"#, "/expires_at"),
    (#"{"name":"x","expires_at":"2020-01-01T00:00:00Z"}"#, "/expires_at"),
  ])
  func `is refused with scopes that are none, or an end that is past`(
    body: String, pointer: String
  ) async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    let reply = try await control.request("POST", "/v1/apps/\(app.id)/keys", body)
    #expect(reply.status == 400)
    #expect(reply.problem?.errors?.map(\.pointer) == [pointer])
    try await control.host.close()
  }

  @Test(arguments: [
    "{}", #"{"name":"x","scopes":[]}"#, #"{"name":"x","scopes":["a","a"]}"#,
    #"{"name":"x","expires_at":"tomorrow"}"#, #"{"name":"x","key":"sk_mine"}"#,
  ])
  func `is refused by the manifest where the request is malformed`(body: String) async throws {
    let control = try await ControlHost()
    #expect(try control.refuses("POST", "/v1/apps/app_x/keys", body))
    try await control.host.close()
  }

  @Test func `is one of so many in an app`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    for _ in 0..<2 {
      let reply = try await control.request(
        "POST", "/v1/apps/\(app.id)/keys", #"{"name":"x"}"#)
      #expect(reply.status == 201)
    }
    let reply = try await control.request("POST", "/v1/apps/\(app.id)/keys", #"{"name":"x"}"#)
    #expect(reply.status == 403)
    #expect(reply.problem?.code == "quota_exceeded")
    try await control.host.close()
  }

  @Test func `that the host does not take leaves nothing behind`() async throws {
    let control = try await ControlHost()
    let app = try await control.makeApp()
    var tenants = try await control.host.tenants
    tenants.tenants[app.id]?.credentialLimit = 2
    try await control.host.setTenants(tenants)
    let reply = try await control.host.request(
      "POST", "/v1/apps/\(app.id)/keys", body: #"{"name":"x"}"#, as: .account("acc_ada"))
    #expect(reply.status >= 400)
    let left = try await control.host.tenants.tenants[app.id]?.credentials
    #expect(left?.count == 2 && left?.values.allSatisfy { $0.revokedAt == nil } == true)
    let keys: Listed = try await control.request("GET", "/v1/apps/\(app.id)/keys").json()
    #expect(keys.data.map(\.name) == ["default"])
    try await control.host.close()
  }
}
