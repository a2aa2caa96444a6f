import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `An account` {
  @Test func `is made signed in`() async throws {
    let platform = try await AuthHost("platform")
    let reply = try await platform.request(
      "POST", "/v1/accounts",
      #"{"email":"Ada@Example.COM","password":"correct horse","name":"Ada L."}"#)
    #expect(reply.status == 201)
    #expect(reply.header("cache-control") == "no-store")
    let ada: SignedIn = try reply.json()
    #expect(ada.account?.id.hasPrefix("acc_") == true)
    #expect(ada.account?.id.count == 30)
    #expect(ada.account?.email == "ada@example.com")
    #expect(ada.account?.name == "Ada L.")
    #expect(ada.account?.createdAt == "2026-01-01T00:00:00.000Z")
    #expect(ada.tokenType == "Bearer")
    #expect(ada.expiresIn == 900)
    #expect(ada.refreshToken.hasPrefix("rt_"))
    #expect(try await platform.refusal(of: ada.accessToken) == nil)
    try await platform.host.close()
  }

  @Test func `has an e-mail of its own`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp("ada@example.com")
    let reply = try await platform.request(
      "POST", "/v1/accounts",
      #"{"email":"ADA@example.com","password":"another one","name":"Eve"}"#)
    #expect(reply.status == 409)
    #expect(reply.problem?.code == "conflict")
    // Also with a password that would not be taken.
    let poor = try await platform.request(
      "POST", "/v1/accounts", #"{"email":"ada@example.com","password":"password1","name":"Ada"}"#)
    #expect(poor.status == 409)
    try await platform.host.close()
  }

  @Test func `is made once when two ask for it at once`() async throws {
    let platform = try await AuthHost("platform")
    let body = #"{"email":"ada@example.com","password":"correct horse","name":"Ada"}"#
    let first = try await platform.host.begin("POST", "/v1/accounts", body: body)
    let second = try await platform.host.begin("POST", "/v1/accounts", body: body)
    let statuses = [try await first.reply().status, try await second.reply().status]
    #expect(statuses.sorted() == [201, 409])
    try await platform.host.close()
  }

  @Test(arguments: [
    "ada", "ada@", "@example.com", "ada@example", "ada@@example.com", "a@b@example.com",
    "ada love@example.com", "ada@exam ple.com", "adä@example.com", "ada@exämple.com",
    ".ada@example.com", "ada.@example.com", "a..b@example.com", "ada@-example.com",
    "ada@example-.com", "ada@.example.com", "ada@example..com", "ada@example.123",
    "ada@[127.0.0.1]", "\\\"ada\\\"@example.com", "ada@example.com\\n", "ada(x)@example.com",
  ])
  func `is refused without an address that mail could reach`(email: String) async throws {
    let platform = try await AuthHost("platform")
    let reply = try await platform.request(
      "POST", "/v1/accounts", #"{"email":"\#(email)","password":"correct horse","name":"Ada"}"#)
    #expect(reply.status == 400)
    #expect(reply.problem?.errors?.map(\.pointer) == ["/email"])
    try await platform.host.close()
  }

  @Test func `has an address of at most 254 characters, 64 of them before the @`() throws {
    let name = String(repeating: "a", count: 64)
    let label = String(repeating: "b", count: 60)
    let long = "\(name)@\(label).\(label).\(label).exampl"
    #expect(long.count == 254)
    #expect(try EmailAddress(long).text == long)
    #expect(throws: Problem.self) { try EmailAddress(name + "a@example.com") }
    #expect(throws: Problem.self) { try EmailAddress(long + "e") }
    #expect(try EmailAddress("a+b_c'd@x-y.co.uk").text == "a+b_c'd@x-y.co.uk")
  }

  @Test(arguments: [
    #"{"email":"ada@example.com","password":"1234567","name":"Ada"}"#,
    #"{"email":"ada@example.com","password":"PASSWORD129","name":"Ada"}"#,
    #"{"email":"ada@example.com","password":"correct horse"}"#,
    #"{"email":"ada@example.com","password":"correct horse","name":""}"#,
    #"{"email":"ada@example.com","password":"correct horse","name":"Ada","admin":true}"#,
    #"{"email":7,"password":"correct horse","name":"Ada"}"#,
  ])
  func `is refused by the manifest without a proper password and name`(body: String) async throws {
    let platform = try await AuthHost("platform")
    let body = body.replacing("PASSWORD129", with: String(repeating: "p", count: 129))
    #expect(try platform.refuses("POST", "/v1/accounts", body))
    try await platform.host.close()
  }

  /// Code points, not bytes: eight of four bytes each will do, and 128 of them.
  @Test func `takes a password of 8 to 128 code points`() async throws {
    let platform = try await AuthHost("platform")
    for count in [8, 128] {
      let password = (0..<count).map { $0.isMultiple(of: 2) ? "🔑" : "🚪" }.joined()
      let reply = try await platform.request(
        "POST", "/v1/accounts",
        #"{"email":"key\#(count)@example.com","password":"\#(password)","name":"Ada"}"#)
      #expect(reply.status == 201)
      let again = try await platform.request(
        "POST", "/v1/sessions", #"{"email":"key\#(count)@example.com","password":"\#(password)"}"#)
      #expect(again.status == 201)
    }
    try await platform.host.close()
  }

  @Test func `is read and changed by its owner`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let eve = try await platform.signUp("eve@example.com")
    let principal = try await platform.identify(ada.accessToken).principal
    let before = try await platform.request("GET", "/v1/me", as: principal)
    #expect(before.status == 200)
    #expect(try before.json(SignedIn.Account.self) == ada.account)
    let change = try await platform.request(
      "PATCH", "/v1/me", #"{"name":"Countess"}"#, as: principal)
    #expect(try change.json(SignedIn.Account.self).name == "Countess")
    let nothing = try await platform.request("PATCH", "/v1/me", "{}", as: principal)
    #expect(try nothing.json(SignedIn.Account.self).name == "Countess")
    let other = try await platform.request(
      "GET", "/v1/me", as: .account(try #require(eve.account?.id)))
    #expect(try other.json(SignedIn.Account.self).name == "Ada")
    #expect(try await platform.request("GET", "/v1/me", as: .account("acc_x")).status == 404)
    try await platform.host.close()
  }

  @Test func `is nowhere but on the platform`() async throws {
    let app = try await AuthHost("app")
    let reply = try await app.host.request(
      "POST", "/v1/accounts",
      body: #"{"email":"ada@example.com","password":"correct horse","name":"Ada"}"#)
    #expect(reply.status == 404)
    #expect(try await app.host.request("GET", "/.well-known/jwks.json").status == 404)
    #expect(try await app.host.secret("auth.signing") == nil)
    try await app.host.close()
  }
}

@Suite struct `A password` {
  @Test func `is kept as argon2id of OWASP's floor`() throws {
    let hash = try PasswordHash(of: "correct horse", salt: Array(0..<16), .standard)
    #expect(hash.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$"))
    #expect(try hash.matches("correct horse"))
    #expect(try !hash.matches("correct horsE"))
    #expect(try !hash.matches(""))
  }

  @Test func `of nobody costs as much and is never right`() throws {
    let nobody = PasswordHash(ofNobody: HashCost.standard.kind)
    #expect(nobody.text.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
    let somebody = try PasswordHash(of: "x", salt: Array(0..<16), .standard)
    #expect(nobody.text.count == somebody.text.count)
    #expect(try !nobody.matches("correct horse"))
  }

  @Test func `that was kept broken is an error, not a refusal`() {
    #expect(throws: HostError.self) { try PasswordHash(kept: "$argon2id$").matches("x") }
  }
}
