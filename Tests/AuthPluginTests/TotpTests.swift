import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A code that changes with time` {
  private let code = TimeCode(secret: Array("12345678901234567890".utf8))

  /// RFC 6238 Appendix B, SHA-1, the last six of eight digits.
  @Test(arguments: [
    (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"),
    (1_234_567_890, "005924"), (2_000_000_000, "279037"), (20_000_000_000, "353130"),
  ])
  func `is that of RFC 6238`(seconds: Int64, digits: String) {
    #expect(code.code(at: seconds / 30) == digits)
    #expect(code.step(of: digits, at: seconds) == seconds / 30)
  }

  @Test func `is good a step before and after its own`() {
    for (seconds, isGood) in [(29, false), (30, true), (89, true), (119, true), (120, false)] {
      #expect((code.step(of: code.code(at: 2), at: Int64(seconds)) != nil) == isGood)
    }
    #expect(code.step(of: "", at: 59) == nil)
    #expect(code.step(of: "28708", at: 59) == nil)
  }

  /// RFC 4648 §10.
  @Test(arguments: [
    ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
    ("foobar", "MZXW6YTBOI"),
  ])
  func `has its secret in base32`(secret: String, text: String) {
    #expect(TimeCode(secret: Array(secret.utf8)).base32 == text)
  }

  @Test func `is told to an app by a URL`() {
    #expect(
      code.url(issuer: "Ada & Co", account: "ada+x@example.com")
        == "otpauth://totp/Ada%20%26%20Co:ada%2Bx%40example.com"
        + "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ada%20%26%20Co"
        + "&algorithm=SHA1&digits=6&period=30")
  }
}

@Suite struct `A second factor` {
  private struct Enrolment: Decodable {
    var secret: String
    var url: String

    enum CodingKeys: String, CodingKey {
      case secret
      case url = "otpauth_url"
    }
  }

  private struct Recovery: Decodable {
    var codes: [String]

    enum CodingKeys: String, CodingKey {
      case codes = "recovery_codes"
    }
  }

  private static let password = #"{"password":"correct horse"}"#

  private func code(_ platform: AuthHost, _ id: String, later steps: Int64 = 0) async throws
    -> String
  {
    let secret = try #require(try await platform.host.secret("auth.totp.\(id)"))
    return TimeCode(secret: secret).code(
      at: platform.host.now.unixMilliseconds / 1_000 / TimeCode.step + steps)
  }

  /// An account with the factor on, and its recovery codes.
  private func enrolled(_ platform: AuthHost) async throws -> (Principal, [String]) {
    let principal = try await platform.principal(try await platform.signUp())
    let reply = try await platform.request("POST", "/v1/me/totp", Self.password, as: principal)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    let enrolment: Enrolment = try reply.json()
    #expect(enrolment.secret.count == 32)
    #expect(enrolment.url.contains("secret=\(enrolment.secret)&"))
    #expect(enrolment.url.hasPrefix("otpauth://totp/Acme:ada%40example.com?"))
    // Nothing has changed yet.
    #expect(try await platform.signIn().status == 201)
    let wrong = try await platform.status(
      "POST", "/v1/me/totp/confirm", #"{"code":"000000"}"#, as: principal)
    #expect(wrong == (400, "invalid_code"))
    let right = try await platform.request(
      "POST", "/v1/me/totp/confirm", #"{"code":"\#(try await code(platform, principal.id))"}"#,
      as: principal)
    #expect(right.status == 200)
    let me = try await platform.request("GET", "/v1/me", as: principal)
    #expect(try me.json(SignedIn.Account.self).totpEnabled)
    return (principal, try right.json(Recovery.self).codes)
  }

  @Test func `is asked for when the password is right, and taken once`() async throws {
    let platform = try await AuthHost("platform")
    let (principal, _) = try await enrolled(platform)
    #expect(try await platform.signIn() == (401, "totp_required", nil))
    #expect(
      try await platform.signIn("ada@example.com", "wrong horse") == (401, "unauthenticated", nil))
    // The code that switched it on is used.
    let used = try await code(platform, principal.id)
    #expect(try await platform.signIn(more: #","totp":"\#(used)""#) == (401, "totp_invalid", nil))
    try await platform.host.advance(milliseconds: 30_000)
    let next = try await code(platform, principal.id)
    #expect(try await platform.signIn(more: #","totp":"\#(next)""#).status == 201)
    #expect(try await platform.signIn(more: #","totp":"\#(next)""#) == (401, "totp_invalid", nil))
    try await platform.host.close()
  }

  @Test func `is taken once where it comes twice at once`() async throws {
    let platform = try await AuthHost("platform")
    let (principal, _) = try await enrolled(platform)
    try await platform.host.advance(milliseconds: 30_000)
    let next = try await code(platform, principal.id)
    let body = #"{"email":"ada@example.com","password":"correct horse","totp":"\#(next)"}"#
    let first = try await platform.host.begin("POST", "/v1/sessions", body: body)
    let second = try await platform.host.begin("POST", "/v1/sessions", body: body)
    #expect(
      [try await first.reply().status, try await second.reply().status].sorted() == [201, 401])
    try await platform.host.close()
  }

  @Test func `is replaced by a recovery code, once each`() async throws {
    let platform = try await AuthHost("platform")
    let (_, codes) = try await enrolled(platform)
    #expect(Set(codes).count == 10)
    for text in [codes[0].uppercased(), codes[1].replacing("-", with: "")] {
      let more = #","recovery_code":"\#(text)""#
      #expect(try await platform.signIn(more: more).status == 201)
      #expect(try await platform.signIn(more: more) == (401, "totp_invalid", nil))
    }
    try await platform.host.close()
  }

  @Test func `is guessed five times at once, whatever address the guess comes from`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await enrolled(platform)
    try await platform.host.advance(milliseconds: 600_000)
    for _ in 0..<5 {
      #expect(try await platform.signIn(more: #","totp":"000000""#).code == "totp_invalid")
    }
    let sixth = try await platform.signIn(more: #","totp":"000000""#)
    #expect(sixth.status == 429 && sixth.code == "rate_limited")
    try await platform.host.close()
  }

  @Test func `is switched off with the password, and is on once only`() async throws {
    let platform = try await AuthHost("platform")
    let (principal, codes) = try await enrolled(platform)
    #expect(
      try await platform.status("POST", "/v1/me/totp", Self.password, as: principal)
        == (409, "conflict"))
    #expect(
      try await platform.status(
        "POST", "/v1/me/totp/disable", #"{"password":"wrong horse"}"#, as: principal)
        == (403, "wrong_password"))
    #expect(
      try await platform.status("POST", "/v1/me/totp/disable", Self.password, as: principal)
        == (204, nil))
    #expect(try await platform.host.secret("auth.totp.\(principal.id)") == nil)
    #expect(try await platform.signIn().status == 201)
    #expect(try await platform.signIn(more: #","recovery_code":"\#(codes[0])""#).status == 201)
    #expect(
      try await platform.status(
        "POST", "/v1/me/totp/confirm", #"{"code":"000000"}"#, as: principal) == (409, "conflict"))
    try await platform.host.close()
  }
}
