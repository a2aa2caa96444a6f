import DeclaredRoutes
import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

/// The plugin in a test host, asked as the gateway would ask it: a body that the manifest refuses never
/// reaches the plugin, and an answer that the manifest does not describe fails the test.
struct AuthHost {
  static let folder = "Plugins/auth"
  static let secret = Array("ss_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG".utf8)
  static let settings: RawJSON = #"""
    {"access_token_seconds":900,"session_days":30,"user_token_seconds":3600,
     "user_token_issuer_optional":false,"user_token_expiry_optional":false,
     "require_verified_email":false,"sign_up_burst":60,"sign_ups_per_hour":120,"code_request_burst":30,"code_requests_per_hour":120,
     "password_jobs_per_network":16,"argon2_memory_kib":19456,"argon2_passes":2,"argon2_lanes":1,
     "breached_passwords_file":"","signing_key_days":90,
     "product_name":"Acme",
     "operators":["root@example.com"],"issuers":[],
     "allow_guests":true,"guest_seconds":3600,"guests_per_address":2,"guest_limit":5,"guest_scopes":["chat.read"],
     "user_scopes":["chat.read","chat.write"]}
    """#

  let host: TestHost
  /// What the plugin has had sent.
  let mails: Mails
  private let declared: DeclaredRoutes

  /// - Parameter tenant: "platform", or an app's id.
  init(
    _ tenant: String, secret: [UInt8]? = AuthHost.secret, settings: RawJSON = AuthHost.settings,
    sendsMail: Bool = true
  ) async throws {
    let mails = Mails()
    self.mails = mails
    declared = try DeclaredRoutes(folder: AuthHost.folder)
    host = try await TestHost(
      Auth.self, manifest: AuthHost.folder + "/plugin.json", config: settings,
      tenant: tenant
    ) { host in
      if tenant != "platform" { try await host.setSecret("tenant.signing", secret) }
      guard sendsMail else { return }
      try await host.provide("sluice.mailer/1", method: 1) { (mail: Mails.Mail) in
        try mails.take(mail)
      }
    }
  }

  /// The settings with others in place of some.
  static func settings(_ changes: KeyValuePairs<String, String>) -> RawJSON {
    let text = changes.reduce(settings.text) { $0.replacing($1.key, with: $1.value) }
    return RawJSON(unchecked: Array(text.utf8))
  }

  func request(
    _ method: String, _ target: String, _ body: String = "", as principal: Principal = .anonymous,
    from peer: String = "127.0.0.1"
  ) async throws -> TestReply {
    let (reply, violations) = try await declared.request(
      host, method, target, body, as: principal, from: peer)
    #expect(violations == [])
    return reply
  }

  /// Whether the gateway would answer 400 without asking the plugin.
  func refuses(_ method: String, _ target: String, _ body: String) throws -> Bool {
    try declared.refuses(method, target, body)
  }
}

/// What a client keeps of a sign-in.
struct SignedIn: Decodable {
  struct Account: Decodable, Equatable {
    var id: String
    var email: String
    var name: String
    var createdAt: String
    var emailVerified: Bool
    var totpEnabled: Bool

    enum CodingKeys: String, CodingKey {
      case id, email, name
      case createdAt = "created_at"
      case emailVerified = "email_verified"
      case totpEnabled = "totp_enabled"
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
      let others: [Status] = [.unauthenticated, .denied]
      #expect(isExpired ? error.status == .expired : others.contains(error.status))
      return error.text
    }
  }
}

/// A token of any content, for vectors.
enum Forged {
  static func token(
    _ header: String, _ claims: String, sign: (([UInt8]) throws -> [UInt8])? = nil
  ) rethrows -> String {
    let input = Base64.url.encode(header.utf8) + "." + Base64.url.encode(claims.utf8)
    return input + "." + Base64.url.encode(try sign?(Array(input.utf8)) ?? [])
  }

  static func hs256(
    _ claims: String, secret: [UInt8] = AuthHost.secret,
    header: String = #"{"alg":"HS256","typ":"JWT"}"#
  ) -> String {
    token(header, claims) { HS256.sign($0, with: secret) }
  }
}
