import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

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

  /// The code that an authenticator app with this secret shows.
  private func code(_ platform: AuthHost, _ secret: String, later steps: Int64 = 0) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    let bits = secret.compactMap { alphabet.firstIndex(of: $0) }.flatMap { value in
      (0..<5).map { UInt8(value >> (4 - $0) & 1) }
    }
    let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<(start + 8)].reduce(UInt8(0)) { $0 << 1 | $1 }
    }
    return TimeCode(secret: bytes).code(
      at: platform.host.now.unixMilliseconds / 1_000 / TimeCode.step + steps)
  }

  private func enrol(_ platform: AuthHost, _ principal: Principal) async throws -> Enrolment {
    let reply = try await platform.request("POST", "/v1/me/totp", Self.password, as: principal)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    return try reply.json()
  }

  private func confirm(_ platform: AuthHost, _ principal: Principal, _ code: String) async throws
    -> TestReply
  {
    try await platform.request(
      "POST", "/v1/me/totp/confirm", #"{"code":"\#(code)"}"#, as: principal)
  }

  private func disable(_ platform: AuthHost, _ principal: Principal, more: String = "")
    async throws -> (status: Int, code: String?)
  {
    try await platform.status(
      "POST", "/v1/me/totp/disable", #"{"password":"correct horse"\#(more)}"#, as: principal)
  }

  /// An account with the factor on, its secret, and its recovery codes.
  private func enrolled(_ platform: AuthHost) async throws -> (Principal, String, [String]) {
    let principal = try await platform.principal(try await platform.signUp())
    let enrolment = try await enrol(platform, principal)
    #expect(enrolment.secret.count == 32)
    #expect(enrolment.url.contains("secret=\(enrolment.secret)&"))
    #expect(enrolment.url.hasPrefix("otpauth://totp/Acme:ada%40example.com?"))
    // Nothing has changed yet.
    #expect(try await platform.signIn().status == 201)
    #expect(try await confirm(platform, principal, "000000").problem?.code == "invalid_code")
    let right = try await confirm(platform, principal, code(platform, enrolment.secret))
    #expect(right.status == 200)
    let me = try await platform.request("GET", "/v1/me", as: principal)
    #expect(try me.json(SignedIn.Account.self).totpEnabled)
    return (principal, enrolment.secret, try right.json(Recovery.self).codes)
  }

  @Test func `is told to its owner when it comes, is stood in for, and goes`() async throws {
    let platform = try await AuthHost("platform")
    let principal = try await platform.principal(try await platform.signUp())
    func told() async throws -> [String] {
      try await platform.host.settle()
      return platform.mails.all.filter { $0.category == "notice" }.map(\.subject)
    }
    // Nobody writes to strangers.
    let first = try await enrol(platform, principal)
    _ = try await confirm(platform, principal, code(platform, first.secret))
    try await platform.host.advance(milliseconds: 30_000)
    let off = #","totp":"\#(code(platform, first.secret))""#
    #expect(try await disable(platform, principal, more: off) == (204, nil))
    #expect(try await told() == [])
    _ = try await platform.host.execute("UPDATE auth_accounts SET email_verified_at = 1")
    let second = try await enrol(platform, principal)
    let on = try await confirm(platform, principal, code(platform, second.secret))
    let spare = try #require(try on.json(Recovery.self).codes.first)
    #expect(try await told() == ["{product}: your account has a second factor"])
    #expect(try await platform.signIn(more: #","recovery_code":"\#(spare)""#).status == 201)
    #expect(try await told().last == "{product}: a recovery code was used")
    try await platform.host.advance(milliseconds: 30_000)
    let next = #","totp":"\#(code(platform, second.secret))""#
    #expect(try await platform.signIn(more: next).status == 201)
    #expect(try await told().count == 2)
    try await platform.host.advance(milliseconds: 30_000)
    let last = #","totp":"\#(code(platform, second.secret))""#
    #expect(try await disable(platform, principal, more: last) == (204, nil))
    #expect(try await told().last == "{product}: the second factor was switched off")
    #expect(try await told().count == 3)
    try await platform.host.close()
  }

  @Test func `is asked for when the password is right, and taken once`() async throws {
    let platform = try await AuthHost("platform")
    let (_, secret, _) = try await enrolled(platform)
    #expect(try await platform.signIn() == (401, "totp_required", nil))
    #expect(
      try await platform.signIn("ada@example.com", "wrong horse") == (401, "unauthenticated", nil))
    // The code that switched it on is used.
    let used = code(platform, secret)
    #expect(try await platform.signIn(more: #","totp":"\#(used)""#) == (401, "totp_invalid", nil))
    try await platform.host.advance(milliseconds: 30_000)
    let next = code(platform, secret)
    #expect(try await platform.signIn(more: #","totp":"\#(next)""#).status == 201)
    #expect(try await platform.signIn(more: #","totp":"\#(next)""#) == (401, "totp_invalid", nil))
    try await platform.host.close()
  }

  @Test func `is taken once where it comes twice at once`() async throws {
    let platform = try await AuthHost("platform")
    let (_, secret, _) = try await enrolled(platform)
    try await platform.host.advance(milliseconds: 30_000)
    let next = code(platform, secret)
    let body = #"{"email":"ada@example.com","password":"correct horse","totp":"\#(next)"}"#
    let first = try await platform.host.begin("POST", "/v1/sessions", body: body)
    let second = try await platform.host.begin("POST", "/v1/sessions", body: body)
    #expect(
      [try await first.reply().status, try await second.reply().status].sorted() == [201, 401])
    try await platform.host.close()
  }

  @Test func `is replaced by a recovery code, once each`() async throws {
    let platform = try await AuthHost("platform")
    let (_, _, codes) = try await enrolled(platform)
    #expect(Set(codes).count == 10)
    for text in [codes[0].uppercased(), codes[1].replacing("-", with: "")] {
      let more = #","recovery_code":"\#(text)""#
      #expect(try await platform.signIn(more: more).status == 201)
      #expect(try await platform.signIn(more: more) == (401, "totp_invalid", nil))
    }
    try await platform.host.close()
  }

  @Test
  func `is shown once: a code and a recovery code together are refused, and neither is used up`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let (principal, secret, codes) = try await enrolled(platform)
    try await platform.host.advance(milliseconds: 30_000)
    let both = #","totp":"\#(code(platform, secret))","recovery_code":"\#(codes[0])""#
    for _ in 0..<8 {
      #expect(try await platform.signIn(more: both) == (400, "invalid_request", nil))
      #expect(try await disable(platform, principal, more: both) == (400, "invalid_request"))
    }
    #expect(try await platform.signIn(more: #","recovery_code":"\#(codes[0])""#).status == 201)
    #expect(try await platform.signIn(more: #","totp":"\#(code(platform, secret))""#).status == 201)
    try await platform.host.close()
  }

  @Test func `is not tried where there is no secret to confirm`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.principal(try await platform.signUp())
    for _ in 0..<8 { #expect(try await confirm(platform, ada, "000000").status == 409) }
    let enrolment = try await enrol(platform, ada)
    #expect(try await confirm(platform, ada, code(platform, enrolment.secret)).status == 200)
    for _ in 0..<8 { #expect(try await confirm(platform, ada, "000000").status == 409) }
    try await platform.host.close()
  }

  @Test func `is guessed five times at once, wherever from, and then once in five minutes`()
    async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await enrolled(platform)
    try await platform.host.advance(milliseconds: 3_600_000)
    func guess(_ number: Int) async throws -> TestReply {
      try await platform.request(
        "POST", "/v1/sessions",
        #"{"email":"ada@example.com","password":"correct horse","totp":"000000"}"#,
        from: "203.0.113.\(number)")
    }
    for number in 0..<5 {
      #expect(try await guess(number).problem?.code == "totp_invalid")
    }
    let sixth = try await guess(5)
    #expect(sixth.problem?.code == "rate_limited" && sixth.header("retry-after") == "300")
    try await platform.host.advance(milliseconds: 299_999)
    #expect(try await guess(6).status == 429)
    try await platform.host.advance(milliseconds: 1)
    #expect(try await guess(7).status == 401)
    #expect(try await guess(8).status == 429)
    try await platform.host.close()
  }

  @Test func `is switched off with the password and the factor itself`() async throws {
    let platform = try await AuthHost("platform")
    let (principal, secret, codes) = try await enrolled(platform)
    #expect(
      try await platform.status("POST", "/v1/me/totp", Self.password, as: principal)
        == (409, "conflict"))
    #expect(
      try await platform.status(
        "POST", "/v1/me/totp/disable", #"{"password":"wrong horse"}"#, as: principal)
        == (403, "wrong_password"))
    #expect(try await disable(platform, principal) == (401, "totp_required"))
    #expect(
      try await disable(platform, principal, more: #","totp":"000000""#) == (401, "totp_invalid"))
    // A code that has let somebody in does not switch it off.
    try await platform.host.advance(milliseconds: 30_000)
    let used = #","totp":"\#(code(platform, secret))""#
    #expect(try await platform.signIn(more: used).status == 201)
    #expect(try await disable(platform, principal, more: used) == (401, "totp_invalid"))
    try await platform.host.advance(milliseconds: 300_000)
    let fresh = #","totp":"\#(code(platform, secret))""#
    #expect(try await disable(platform, principal, more: fresh) == (204, nil))
    #expect(try await platform.signIn().status == 201)
    #expect(try await platform.signIn(more: #","recovery_code":"\#(codes[0])""#).status == 201)
    #expect(try await confirm(platform, principal, "000000").status == 409)
    #expect(try await disable(platform, principal) == (204, nil))
    try await platform.host.close()
  }

  @Test func `is switched off with a recovery code where the device is lost`() async throws {
    let platform = try await AuthHost("platform")
    let (principal, _, codes) = try await enrolled(platform)
    let more = #","recovery_code":"\#(codes[3])""#
    #expect(try await disable(platform, principal, more: more) == (204, nil))
    #expect(try await platform.signIn().status == 201)
    try await platform.host.close()
  }

  @Test func `seals one secret, however many begin with one`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.principal(try await platform.signUp())
    let first = try await enrol(platform, ada)
    let second = try await enrol(platform, ada)
    let eve = try await platform.principal(try await platform.signUp("eve@example.com"))
    let other = try await enrol(platform, eve)
    #expect(Set([first.secret, second.secret, other.secret]).count == 3)
    #expect(try await platform.host.secret("auth.second_factor")?.count == 32)
    for principal in [ada, eve] {
      #expect(try await platform.host.secret("auth.totp.\(principal.id)") == nil)
    }
    // The one before is none any more.
    #expect(try await confirm(platform, ada, code(platform, first.secret)).status == 400)
    #expect(try await confirm(platform, ada, code(platform, second.secret)).status == 200)
    try await platform.host.close()
  }

  @Test func `that is not confirmed within an hour is none`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.principal(try await platform.signUp())
    let enrolment = try await enrol(platform, ada)
    try await platform.host.advance(milliseconds: 3_600_000)
    let late = try await confirm(platform, ada, code(platform, enrolment.secret))
    #expect(late.status == 409)
    try await platform.host.close()
  }

  @Test func `of the time when each was sealed goes on, and goes with its secret`() async throws {
    let platform = try await AuthHost("platform")
    let (principal, secret, _) = try await enrolled(platform)
    // As it was: the secret by itself, and nothing in the row.
    let old = Array("12345678901234567890".utf8)
    try await platform.host.setSecret("auth.totp.\(principal.id)", old)
    try await platform.host.execute(
      "UPDATE auth_accounts SET totp_nonce = NULL, totp_offered_at = NULL")
    try await platform.host.advance(milliseconds: 60_000)
    let step = platform.host.now.unixMilliseconds / 1_000 / TimeCode.step
    #expect(
      try await platform.signIn(more: #","totp":"\#(code(platform, secret))""#).status == 401)
    let code = TimeCode(secret: old).code(at: step)
    #expect(try await disable(platform, principal, more: #","totp":"\#(code)""#) == (204, nil))
    #expect(try await platform.host.secret("auth.totp.\(principal.id)") == nil)
    try await platform.host.close()
  }

  /// Whichever of the two is committed first.
  @Test func `that was begun with the password before cannot be confirmed after its change`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let ada = try await platform.principal(try await platform.signUp())
    let begun = try await platform.host.begin(
      "POST", "/v1/me/totp", body: Self.password, as: ada)
    let change = try await platform.host.begin(
      "PUT", "/v1/me/password", body: #"{"current":"correct horse","new":"another horse"}"#,
      as: ada)
    let reply = try await begun.reply()
    #expect(try await change.reply().status == 204)
    #expect([201, 403, 409].contains(reply.status))
    guard reply.status == 201 else { return try await platform.host.close() }
    let secret = try reply.json(Enrolment.self).secret
    #expect(try await confirm(platform, ada, code(platform, secret)).status == 409)
    try await platform.host.close()
  }
}
