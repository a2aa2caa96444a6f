import PluginHost
import PluginKit
import PluginTesting
import Testing
import Wire

@testable import ControlPlugin

/// The plugin in a test host, asked as the gateway would ask it: a body that the manifest refuses never
/// reaches the plugin, and an answer that the manifest does not describe fails the test.
struct ControlHost {
  static let folder = "Plugins/control"
  static let settings: RawJSON = #"{"plan":"free","apps_per_account":3,"keys_per_app":3}"#

  let host: TestHost
  private let manifest: PluginManifest

  /// - Parameters:
  ///   - rows: SQL that is run after the plugin's migrations: what a crash has left behind.
  ///   - capabilities: what is granted; nil is what the manifest asks for.
  init(rows: String? = nil, without capability: String? = nil) async throws {
    manifest = try PluginManifest.read(folder: ControlHost.folder)
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
    let route = try #require(find(method, target))
    if let schema = route.body.schema {
      let refusals = schema.compiled.validate(try JSONDocument(body).root)
      #expect(refusals.isEmpty, "the manifest refuses the body: \(refusals)")
    }
    let reply = try await host.request(method, target, body: body, as: principal)
    check(reply, of: route)
    return reply
  }

  /// Whether the gateway would answer 400 without asking the plugin.
  func refuses(_ method: String, _ target: String, _ body: String) throws -> Bool {
    let schema = try #require(find(method, target)?.body.schema)
    return !schema.compiled.validate(try JSONDocument(body).root).isEmpty
  }

  var routes: [Route] { manifest.routes }

  private func find(_ method: String, _ target: String) -> Route? {
    let path = target.prefix { $0 != "?" }.split(separator: "/").map(String.init)
    return manifest.routes.first { route in
      route.method.rawValue == method && route.path.segments.count == path.count
        && zip(route.path.segments, path).allSatisfy { segment, text in
          if case .literal(let literal) = segment { literal == text } else { true }
        }
    }
  }

  private func check(_ reply: TestReply, of route: Route) {
    guard reply.status < 300 else {
      #expect(reply.status != 500, "\(host.log.map { ($0.message, $0.fields?.text ?? "") })")
      #expect(reply.problem?.status == reply.status)
      return
    }
    let known = route.responses.first { $0.status == reply.status }
    #expect(known != nil, "\(route.operation) does not declare \(reply.status)")
    guard let schema = known?.schema else {
      #expect(reply.body.isEmpty)
      return
    }
    let violations = (try? JSONDocument(reply.text)).map { schema.compiled.validate($0.root) }
    #expect(violations == [], "\(route.operation) answered \(reply.text)")
  }
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
