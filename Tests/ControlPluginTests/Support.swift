import DeclaredRoutes
import PluginHost
import PluginKit
import PluginTesting
import Testing

@testable import ControlPlugin

/// The plugin in a test host, asked as the gateway would ask it: a body that the manifest refuses never
/// reaches the plugin, and an answer that the manifest does not describe fails the test.
struct ControlHost {
  static let folder = "Plugins/control"
  static let settings: RawJSON = #"{"plan":"free","apps_per_account":3,"keys_per_app":3}"#

  let host: TestHost
  private let declared: DeclaredRoutes

  /// - Parameters:
  ///   - rows: SQL that is run after the plugin's migrations: what a crash has left behind.
  ///   - capabilities: what is granted; nil is what the manifest asks for.
  init(rows: String? = nil, without capability: String? = nil) async throws {
    declared = try DeclaredRoutes(folder: ControlHost.folder)
    var file = try TestManifest(file: ControlHost.folder + "/plugin.json")
    if let rows { file.migrations.append(.init(name: "rows", sql: rows)) }
    file.capabilities?.removeAll { $0 == capability }
    host = try await TestHost(
      Control.self, file, config: ControlHost.settings, tenant: "platform")
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
  func makeApp(
    _ name: String = "Shop", as principal: Principal = .account("acc_ada")
  ) async throws -> MadeApp {
    let reply = try await request("POST", "/v1/apps", #"{"name":"\#(name)"}"#, as: principal)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    return try reply.json()
  }
}
