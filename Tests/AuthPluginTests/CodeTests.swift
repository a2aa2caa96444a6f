import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A code sent by mail` {
  private let email = "ada@example.com"

  private func verify(
    _ platform: AuthHost, _ code: String, _ email: String = "ada@example.com",
    password: String? = "correct horse", as principal: Principal = .anonymous
  ) async throws -> (status: Int, code: String?) {
    let proof = password.map { #","password":"\#($0)""# } ?? ""
    return try await platform.status(
      "POST", "/v1/accounts/verify", #"{"email":"\#(email)","code":"\#(code)"\#(proof)}"#,
      as: principal)
  }

  @Test func `verifies the address that it was sent to, once`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    try await platform.host.settle()
    #expect(ada.account?.emailVerified == false)
    let code = try platform.mails.code(for: email, in: "verification")
    #expect(try await verify(platform, code.uppercased().replacing("-", with: " ")) == (204, nil))
    let me = try await platform.request("GET", "/v1/me", as: try await platform.principal(ada))
    #expect(try me.json(SignedIn.Account.self).emailVerified)
    #expect(try await verify(platform, code) == (400, "invalid_code"))
    try await platform.host.close()
  }

  @Test func `verifies nothing without a proof of who has signed up`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.principal(try await platform.signUp())
    let eve = try await platform.principal(try await platform.signUp("eve@example.com"))
    try await platform.host.settle()
    let code = try platform.mails.code(for: email, in: "verification")
    // What is no proof uses up no try where the code is not looked at.
    for _ in 0..<6 {
      #expect(try await verify(platform, code, password: nil) == (401, "unauthenticated"))
    }
    #expect(try await verify(platform, code, password: nil, as: eve) == (401, "unauthenticated"))
    #expect(try await verify(platform, code, password: "wrong horse") == (403, "wrong_password"))
    let me = try await platform.request("GET", "/v1/me", as: ada)
    #expect(try !me.json(SignedIn.Account.self).emailVerified)
    #expect(try await verify(platform, code, password: nil, as: ada) == (204, nil))
    try await platform.host.close()
  }

  /// Whoever reads the mail of an address that a stranger has signed up with.
  @Test func `leaves nothing of a stranger's to whoever chooses a new password with it`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let stranger = try await platform.signUp()
    let principal = try await platform.principal(stranger)
    let begun = try await platform.request(
      "POST", "/v1/me/totp", #"{"password":"correct horse"}"#, as: principal)
    #expect(begun.status == 201)
    let ask = #"{"email":"ada@example.com"}"#
    #expect(try await platform.status("POST", "/v1/passwords/forgot", ask).status == 202)
    let code = try platform.mails.code(for: email, in: "password_reset")
    let reset = #"{"email":"ada@example.com","code":"\#(code)","password":"another horse"}"#
    #expect(try await platform.status("POST", "/v1/passwords/reset", reset).status == 204)
    #expect(
      try await platform.refusal(of: stranger.accessToken) == TokenRefusal.sessionEnded.reason)
    #expect(try await platform.refresh(stranger.refreshToken).status == 401)
    // What was begun cannot be ended by a request that was let in before.
    let confirmed = try await platform.status(
      "POST", "/v1/me/totp/confirm", #"{"code":"000000"}"#, as: principal)
    #expect(confirmed == (409, "conflict"))
    #expect(try await platform.signIn(email, "another horse").status == 201)
    try await platform.host.close()
  }

  @Test func `is stored as a digest`() throws {
    let code = OneTimeCode(random: [0, 0x12, 0x34, 0x56, 0x78])
    #expect(code.text == "0093-8nkr")
    #expect(OneTimeCode(typed: "OO93 8NKR").text == "0093-8nkr")
    #expect(OneTimeCode(typed: "l").text == OneTimeCode(typed: "I").text)
    let digest = code.digest(of: "acc_1", for: .reset)
    #expect(digest.count == 64)
    #expect(digest != code.digest(of: "acc_2", for: .reset))
    #expect(digest != code.digest(of: "acc_1", for: .verification))
  }

  @Test func `is tried five times at most`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    let code = try platform.mails.code(for: email, in: "verification")
    for _ in 0..<5 { #expect(try await verify(platform, "0000-0000") == (400, "invalid_code")) }
    #expect(try await verify(platform, code) == (400, "invalid_code"))
    // Another is sent when it is asked for.
    let resend = #"{"email":"ada@example.com"}"#
    #expect(try await platform.status("POST", "/v1/accounts/verify/resend", resend) == (202, nil))
    try await platform.host.settle()
    let other = try platform.mails.code(for: email, in: "verification")
    #expect(other != code)
    #expect(try await verify(platform, other) == (204, nil))
    try await platform.host.close()
  }

  @Test func `is good for an hour, beside those that were sent after it`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    let first = try platform.mails.code(for: email, in: "verification")
    try await platform.host.advance(milliseconds: 60_000)
    let resend = #"{"email":"ADA@example.com"}"#
    func ask() async throws -> String {
      #expect(
        try await platform.status("POST", "/v1/accounts/verify/resend", resend) == (202, nil))
      return try platform.mails.code(for: email, in: "verification")
    }
    let second = try await ask()
    try await platform.host.advance(milliseconds: 3_539_999)
    let third = try await ask()
    #expect(Set([first, second, third]).count == 3)
    try await platform.host.advance(milliseconds: 1)
    // The first has expired, and each of the others would do; with one the other is spent too.
    #expect(try await verify(platform, first) == (400, "invalid_code"))
    #expect(try await verify(platform, second) == (204, nil))
    #expect(try await verify(platform, third) == (400, "invalid_code"))
    // Whoever is verified gets no more.
    #expect(try await ask() == third)
    try await platform.host.close()
  }

  @Test func `is not used up by strangers' tries from wherever, and yet tried five times in all`()
    async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    let code = try platform.mails.code(for: email, in: "verification")
    func verify(_ code: String, from peer: String) async throws -> Int {
      try await platform.request(
        "POST", "/v1/accounts/verify",
        #"{"email":"ada@example.com","code":"\#(code)","password":"correct horse"}"#, from: peer
      ).status
    }
    func tries() async throws -> String? {
      try await platform.host.execute("SELECT tries FROM auth_letters").first?.first
    }
    for network in 0..<18 {
      for _ in 0..<5 { #expect(try await verify("0000-0000", from: "203.0.113.\(network)") == 400) }
    }
    // Three were looked at; for those who came later even the right one is wrong.
    #expect(try await tries() == "3")
    #expect(try await verify(code, from: "198.51.100.1") == 400)
    // Two are left to whoever has signed up, from there.
    #expect(try await verify("0000-0000", from: "127.0.0.1") == 400)
    #expect(try await tries() == "4")
    #expect(try await verify(code, from: "127.0.0.1") == 204)
    try await platform.host.close()
  }

  @Test func `is asked for in the same words whether there is an account or not`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    for path in ["/v1/accounts/verify/resend", "/v1/passwords/forgot"] {
      let known = try await platform.request("POST", path, #"{"email":"ada@example.com"}"#)
      let unknown = try await platform.request("POST", path, #"{"email":"eve@example.com"}"#)
      #expect(known.status == 202 && unknown.status == 202)
      #expect(known.text == unknown.text)
    }
    try await platform.host.settle()
    #expect(platform.mails.all.map(\.to).allSatisfy { $0 == email })
    #expect(
      platform.mails.all.map(\.category) == ["verification", "verification", "password_reset"])
    #expect(try await verify(platform, "0000-0000", "eve@example.com") == (400, "invalid_code"))
    try await platform.host.close()
  }

  @Test func `is sent thrice at once to whoever asks from a network, then once in five minutes`()
    async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    func ask(from peer: String = "203.0.113.7") async throws -> Int {
      let reply = try await platform.request(
        "POST", "/v1/passwords/forgot", #"{"email":"ada@example.com"}"#, from: peer)
      #expect(reply.status == 202 && reply.text == "")
      try await platform.host.settle()
      return platform.mails.count(for: email, in: "password_reset")
    }
    var sent: [Int] = []
    for _ in 0..<5 { sent.append(try await ask()) }
    #expect(sent == [1, 2, 3, 3, 3])
    // Its owner, who asks from elsewhere, has a letter all the same.
    #expect(try await ask(from: "198.51.100.1") == 4)
    try await platform.host.advance(milliseconds: 299_999)
    #expect(try await ask() == 4)
    try await platform.host.advance(milliseconds: 1)
    #expect(try await ask() == 5)
    // From wherever, six at once and then one in ten minutes.
    #expect(try await ask(from: "198.51.100.1") == 6)
    #expect(try await ask(from: "198.51.100.1") == 6)
    #expect(platform.host.metric("throttled_total") == 0)
    // The first that was sent is as good as the last.
    let codes = platform.mails.all.filter { $0.category == "password_reset" }.compactMap {
      $0.text.firstMatch(of: /[0-9a-z]{4}-[0-9a-z]{4}/).map { String($0.output) }
    }
    #expect(Set(codes).count == 6)
    let reset = #"{"email":"ada@example.com","code":"\#(codes[0])","password":"another horse"}"#
    #expect(try await platform.status("POST", "/v1/passwords/reset", reset) == (204, nil))
    try await platform.host.close()
  }

  @Test func `is not asked for where no mail is sent`() async throws {
    let platform = try await AuthHost("platform", sendsMail: false)
    _ = try await platform.signUp()
    for path in ["/v1/accounts/verify/resend", "/v1/passwords/forgot"] {
      #expect(
        try await platform.status("POST", path, #"{"email":"ada@example.com"}"#)
          == (503, "mail_unavailable"))
    }
    try await platform.host.close()
  }

  @Test func `lets its reader choose a new password, which ends all sessions`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let ask = #"{"email":"ada@example.com"}"#
    #expect(try await platform.status("POST", "/v1/passwords/forgot", ask).status == 202)
    let code = try platform.mails.code(for: email, in: "password_reset")
    func reset(_ password: String, _ code: String) async throws -> (status: Int, code: String?) {
      try await platform.status(
        "POST", "/v1/passwords/reset",
        #"{"email":"ada@example.com","code":"\#(code)","password":"\#(password)"}"#)
    }
    #expect(try await reset("another horse", "0000-0000") == (400, "invalid_code"))
    // A password that is not taken uses up no try.
    for _ in 0..<6 { #expect(try await reset("password1", code) == (400, "invalid_request")) }
    #expect(try await verify(platform, code) == (400, "invalid_code"))
    #expect(try await reset("another horse", code) == (204, nil))
    #expect(try await platform.refresh(ada.refreshToken).status == 401)
    #expect(try await platform.signIn().status == 401)
    #expect(try await platform.signIn(email, "another horse").status == 201)
    #expect(try await reset("third horse", code) == (400, "invalid_code"))
    let me = try await platform.request("GET", "/v1/me", as: .account(ada.account?.id ?? ""))
    #expect(try me.json(SignedIn.Account.self).emailVerified)
    try await platform.host.close()
  }

  @Test func `is needed before signing in where the settings say so`() async throws {
    let text = AuthHost.settings.text.replacing(
      #""require_verified_email":false"#, with: #""require_verified_email":true"#)
    let platform = try await AuthHost(
      "platform", settings: RawJSON(unchecked: Array(text.utf8)))
    let reply = try await platform.request(
      "POST", "/v1/accounts",
      #"{"email":"ada@example.com","password":"correct horse","name":"Ada"}"#)
    #expect(reply.status == 201)
    #expect(!reply.text.contains("token"))
    try await platform.host.settle()
    // Right passwords are not counted as guesses.
    for _ in 0..<7 { #expect(try await platform.signIn() == (403, "email_unverified", nil)) }
    #expect(try await platform.signIn(email, "wrong horse") == (401, "unauthenticated", nil))
    let code = try platform.mails.code(for: email, in: "verification")
    #expect(try await verify(platform, code).status == 204)
    #expect(try await platform.signIn().status == 201)
    try await platform.host.close()
  }
}
