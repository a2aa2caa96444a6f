import PluginHost
import PluginKit
import PluginTesting
import Testing
import Wire

@testable import AuthPlugin

/// The plugin in a test host, asked as the gateway would ask it: a body that the manifest refuses never
/// reaches the plugin, and an answer that the manifest does not describe fails the test.
struct AuthHost {
  static let folder = "Plugins/auth"
  static let secret = Array("ss_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".utf8)
  static let settings: RawJSON =
    #"{"access_token_seconds":900,"session_days":30,"user_token_seconds":3600}"#

  let host: TestHost
  private let manifest: PluginManifest

  /// - Parameter tenant: "platform", or an app's id.
  init(_ tenant: String, secret: [UInt8]? = AuthHost.secret) async throws {
    manifest = try PluginManifest.read(folder: AuthHost.folder)
    host = try await TestHost(
      Auth.self, manifest: AuthHost.folder + "/plugin.json", config: AuthHost.settings,
      tenant: tenant
    ) { host in
      if tenant != "platform" { try await host.setSecret("tenant.signing", secret) }
    }
  }

  func request(
    _ method: String, _ target: String, _ body: String = "", as principal: Principal = .anonymous
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

/// What a client keeps of a sign-in.
struct SignedIn: Decodable {
  struct Account: Decodable, Equatable {
    var id: String
    var email: String
    var name: String
    var createdAt: String

    enum CodingKeys: String, CodingKey {
      case id, email, name
      case createdAt = "created_at"
    }
  }

  var account: Account?
  var accessToken: String
  var refreshToken: String
  var tokenType: String
  var expiresIn: Int

  enum CodingKeys: String, CodingKey {
    case account
    case accessToken = "access_token"
    case refreshToken = "refresh_token"
    case tokenType = "token_type"
    case expiresIn = "expires_in"
  }
}

/// What the authenticator answers.
struct Reply: Decodable {
  var kind: Principal.Kind
  var id: String
  var scopes: [String]
  var claims: RawJSON
  var expiresAt: Int64

  enum CodingKeys: String, CodingKey {
    case kind, id, scopes, claims
    case expiresAt = "expires_at_ms"
  }

  var principal: Principal { Principal(kind: kind, id: id, scopes: scopes, claims: claims) }
}

extension AuthHost {
  func signUp(_ email: String = "ada@example.com") async throws -> SignedIn {
    let reply = try await request(
      "POST", "/v1/accounts",
      #"{"email":"\#(email)","password":"correct horse","name":"Ada"}"#)
    #expect(reply.status == 201)
    return try reply.json()
  }

  func refresh(_ token: String) async throws -> TestReply {
    try await request("POST", "/v1/sessions/refresh", #"{"refresh_token":"\#(token)"}"#)
  }

  func identify(_ token: String, for kind: String = "bearer") async throws -> Reply {
    try await host.call(
      "sluice.authenticator/1", method: 1, ["kind": kind, "credential": token])
  }

  /// Why a bearer token is not let in; nil when it is.
  func refusal(of token: String) async throws -> String? {
    do {
      _ = try await identify(token)
      return nil
    } catch let error as HostError {
      let isExpired = error.text == TokenRefusal.expired.reason
      #expect(error.status == (isExpired ? .expired : .unauthenticated))
      return error.text
    }
  }
}

/// A token of any content, for vectors.
enum Forged {
  static func token(
    _ header: String, _ claims: String, sign: (([UInt8]) throws -> [UInt8])? = nil
  ) rethrows -> String {
    let input = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8)
    return input + "." + Base64URL.encode(try sign?(Array(input.utf8)) ?? [])
  }

  static func hs256(
    _ claims: String, secret: [UInt8] = AuthHost.secret,
    header: String = #"{"alg":"HS256","typ":"JWT"}"#
  ) -> String {
    token(header, claims) { HS256.sign($0, with: secret) }
  }
}
