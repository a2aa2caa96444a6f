import DeclaredRoutes
import PluginHost
import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import ControlPlugin

/// The plugin in a test host, asked as the gateway would ask it: a body that the manifest refuses never
/// reaches the plugin, and an answer that the manifest does not describe fails the test.
struct ControlHost {
  static let folder = "Plugins/control"
  static let settings: RawJSON = #"""
    {"plan":"trial","apps_per_account":3,"keys_per_app":3,"members_per_app":4,"invitations_per_day":5,
     "invitations_per_account":7,"invitations_per_address":3,
     "domains":[{"host":"*.customers.example"},{"host":"shop.example","app":"app_nobody"}],
     "domain_proof":"none","dns_server":"127.0.0.1:1","unproven_domains_per_app":2,"unproven_domain_seconds":3600,
     "invitation_seconds":3600,"invitation_page":"https://console.example/invitations?code={code}"}
    """#

  /// What is installed where a test says nothing.
  static let installed: RawJSON = #"""
    [{"id":"chat","version":"1.0.0","versions":["1.0.0"],"scopes":["chat.write","chat.read","a.b"],"summary":"Chat",
      "tenants":"apps","config_schema":{}},
     {"id":"auth","version":"1.0.0","versions":["1.0.0"],"scopes":["users.read"],"summary":"Users","tenants":"both",
      "config_schema":{}},
     {"id":"control","version":"1.0.0","versions":["1.0.0"],"scopes":["console.use"],"summary":"Apps","tenants":"platform",
      "config_schema":{}}]
    """#

  /// The settings with another text in place of one.
  static func settings(_ text: String, _ other: String) -> RawJSON {
    RawJSON(unchecked: Array(settings.text.replacing(text, with: other).utf8))
  }

  let host: TestHost
  /// The letters that were handed over.
  let outbox = Outbox()
  /// Accounts that have ended.
  let ended = Ended()
  private let declared: DeclaredRoutes

  /// - Parameters:
  ///   - rows: SQL that is run after the plugin's migrations: what a crash has left behind.
  ///   - tenants: what the host has when the plugin comes.
  ///   - capability: one that is not granted.
  ///   - settings: the operator's.
  init(
    rows: String? = nil, tenants: TestTenants = TestTenants(), without capability: String? = nil,
    settings: RawJSON = ControlHost.settings
  ) async throws {
    var tenants = tenants
    tenants.plans.insert("trial")
    if tenants.installed.text == "[]" { tenants.installed = ControlHost.installed }
    let prepared = tenants
    declared = try DeclaredRoutes(folder: ControlHost.folder)
    var file = try TestManifest(file: ControlHost.folder + "/plugin.json")
    if let rows { file.migrations.append(.init(name: "rows", sql: rows)) }
    file.capabilities?.removeAll { $0 == capability }
    let (outbox, ended) = (outbox, ended)
    // The plugin asks as soon as it is open.
    host = try await TestHost(
      Control.self, file, config: settings, tenant: "platform"
    ) { host in
      try await host.setTenants(prepared)
      try await host.provide("sluice.accounts/1", method: 1) { (query: AccountIDs) in
        KnownAccounts(
          accounts: query.ids.filter { $0.hasPrefix("acc_") && !ended.contains($0) }.map {
            KnownAccounts.Known(
              id: $0, email: "\($0.dropFirst(4))@example.test", name: String($0.dropFirst(4)),
              emailVerified: !$0.hasPrefix("acc_unverified"))
          })
      }
      try await host.provide("sluice.mailer/1", method: 1) { (letter: SentLetter) in
        guard !letter.to.hasPrefix("full") else {
          throw HostError(.overloaded, "the queue is full")
        }
        outbox.put(letter)
        return ["id": "msg_1"]
      }
    }
  }

  func request(
    _ method: String, _ target: String, _ body: String = "",
    as principal: Principal = .account("acc_ada")
  ) async throws -> TestReply {
    let (reply, violations) = try await declared.request(host, method, target, body, as: principal)
    #expect(violations == [])
    return reply
  }

  /// Whether the gateway would answer 400 without asking the plugin.
  func refuses(_ method: String, _ target: String, _ body: String) throws -> Bool {
    try declared.refuses(method, target, body)
  }

  var routes: [Route] { declared.routes }
}

/// What the plugin asks of `sluice.accounts/1`. Of each account `acc_x` the address is `x@example.test`.
struct AccountIDs: Decodable {
  var ids: [String]
}

struct KnownAccounts: Encodable {
  struct Known: Encodable {
    var id: String
    var email: String
    var name: String
    var emailVerified: Bool

    enum CodingKeys: String, CodingKey {
      case id, email, name
      case emailVerified = "email_verified"
    }
  }

  var accounts: [Known]
}

/// What the plugin hands to `sluice.mailer/1`.
struct SentLetter: Decodable {
  var to: String
  var subject: String
  var text: String
  var category: String
  var values: [String: String]

  /// The code that stands in it.
  var code: String? {
    guard let start = text.firstRange(of: "ic_") else { return nil }
    return String(text[start.lowerBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }
}

/// Accounts that nobody knows any more.
final class Ended: Sendable {
  private let ids = Mutex<Set<String>>([])

  func insert(_ id: String) { _ = ids.withLock { $0.insert(id) } }

  func contains(_ id: String) -> Bool { ids.withLock { $0.contains(id) } }
}

/// Letters in the order in which they came.
final class Outbox: Sendable {
  private let kept = Mutex<[SentLetter]>([])

  func put(_ letter: SentLetter) { kept.withLock { $0.append(letter) } }

  var letters: [SentLetter] { kept.withLock { $0 } }
}

/// An app as it is answered when it is made.
struct MadeApp: Decodable {
  struct Key: Decodable {
    var id: String
    var key: String
    var secret: String
  }

  var id: String
  var name: String
  var createdAt: String
  var plan: String
  var signingSecret: String
  var keys: [Key]

  enum CodingKeys: String, CodingKey {
    case id, name, plan, keys
    case createdAt = "created_at"
    case signingSecret = "signing_secret"
  }
}

struct Listed: Decodable {
  struct Element: Decodable {
    var id: String
    var name: String?
  }

  var data: [Element]
  var next: String?
}

extension ControlHost {
  /// Has somebody join an app with a role, by an invitation of its maker's.
  func join(
    _ app: MadeApp, _ name: String, as role: String, by inviter: Principal = .account("acc_ada")
  ) async throws {
    let invited = try await request(
      "POST", "/v1/apps/\(app.id)/invitations",
      #"{"email":"\#(name)@example.test","role":"\#(role)"}"#, as: inviter)
    #expect(invited.status == 201)
    let code = try #require(outbox.letters.last?.code)
    let accepted = try await request(
      "POST", "/v1/invitations/accept", #"{"code":"\#(code)"}"#, as: .account("acc_\(name)"))
    #expect(accepted.status == 200)
  }

  /// The audit log of an app, oldest first.
  func log(of app: MadeApp, _ query: String = "") async throws -> [Logged] {
    let page: LoggedPage = try await request(
      "GET", "/v1/apps/\(app.id)/audit?limit=100\(query)"
    ).json()
    return page.data.reversed()
  }

  func makeApp(
    _ name: String = "Shop", as principal: Principal = .account("acc_ada")
  ) async throws -> MadeApp {
    let reply = try await request("POST", "/v1/apps", #"{"name":"\#(name)"}"#, as: principal)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    return try reply.json()
  }
}

/// An entry of the audit log, as far as tests look.
struct Logged: Decodable {
  var seq: Int
  var actor: String
  var action: String
  var outcome: String
  var target: String?
  var before: RawJSON?
  var after: RawJSON?
  var reason: String?
  var previousHash: String
  var hash: String

  enum CodingKeys: String, CodingKey {
    case seq, actor, action, outcome, target, before, after, reason, hash
    case previousHash = "previous_hash"
  }
}

struct LoggedPage: Decodable {
  var data: [Logged]
  var next: String?
}
