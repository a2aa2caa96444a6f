import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import AuthPlugin

@Suite struct `An account that its owner changes` {
  private static let old = "ada@example.com"
  private static let new = "ada@new.example"

  /// A platform with an account whose address is verified.
  private func verified(_ platform: AuthHost) async throws -> (SignedIn, Principal) {
    let ada = try await platform.signUp()
    let principal = try await platform.principal(ada)
    try await platform.host.settle()
    let code = try platform.mails.code(for: Self.old, in: "verification")
    let status = try await platform.status(
      "POST", "/v1/accounts/verify", #"{"email":"\#(Self.old)","code":"\#(code)"}"#, as: principal)
    #expect(status == (204, nil))
    return (ada, principal)
  }

  private func ask(
    _ platform: AuthHost, _ principal: Principal, _ email: String = new,
    password: String = "correct horse", more: String = ""
  ) async throws -> (status: Int, code: String?) {
    try await platform.status(
      "POST", "/v1/me/email", #"{"email":"\#(email)","password":"\#(password)"\#(more)}"#,
      as: principal)
  }

  private func confirm(_ platform: AuthHost, _ principal: Principal, _ code: String) async throws
    -> (status: Int, code: String?)
  {
    try await platform.status(
      "POST", "/v1/me/email/confirm", #"{"code":"\#(code)"}"#, as: principal)
  }

  private func delete(
    _ platform: AuthHost, _ principal: Principal, password: String = "correct horse",
    more: String = ""
  ) async throws -> TestReply {
    let reply = try await platform.request(
      "DELETE", "/v1/me", #"{"password":"\#(password)"\#(more)}"#, as: principal)
    try await platform.host.settle()
    return reply
  }

  @Test func `has its new address when mail to that arrives, and the old one is told`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let (ada, principal) = try await verified(platform)
    let elsewhere = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"\#(Self.old)","password":"correct horse"}"#
    ).json(SignedIn.self)
    #expect(try await ask(platform, principal, password: "wrong horse") == (403, "wrong_password"))
    #expect(platform.mails.count(for: Self.new, in: "email_change") == 0)
    #expect(try await ask(platform, principal, "Ada@New.example") == (202, nil))
    // Nothing has changed yet.
    #expect(try await platform.signIn(Self.new).status == 401)
    #expect(try await confirm(platform, principal, "aaaa-aaaa") == (400, "invalid_code"))
    let code = try platform.mails.code(for: Self.new, in: "email_change")
    #expect(platform.mails.count(for: Self.old, in: "notice") == 0)
    #expect(try await confirm(platform, principal, code) == (200, nil))
    #expect(platform.mails.count(for: Self.old, in: "notice") == 1)
    #expect(platform.mails.all.last?.subject.contains("another e-mail address") == true)
    let me = try await platform.request("GET", "/v1/me", as: principal)
    let account = try me.json(SignedIn.Account.self)
    #expect(account.email == Self.new && account.emailVerified && account.id == principal.id)
    #expect(try await platform.signIn(Self.new).status == 201)
    #expect(try await platform.signIn(Self.old).status == 401)
    // This session goes on, and the others have ended.
    #expect(try await platform.refusal(of: ada.accessToken) == nil)
    #expect(try await platform.refusal(of: elsewhere.accessToken) != nil)
    #expect(try await confirm(platform, principal, code) == (400, "invalid_code"))
    try await platform.host.close()
  }

  @Test
  func
    `takes a code for the address alone that it was sent to, and none after its password was changed`()
    async throws
  {
    let platform = try await AuthHost("platform")
    let (_, principal) = try await verified(platform)
    #expect(try await ask(platform, principal) == (202, nil))
    #expect(try await ask(platform, principal, "eve@example.com") == (202, nil))
    let mine = try platform.mails.code(for: Self.new, in: "email_change")
    #expect(try await confirm(platform, principal, mine) == (200, nil))
    let me = try await platform.request("GET", "/v1/me", as: principal)
    #expect(try me.json(SignedIn.Account.self).email == Self.new)
    let theirs = try platform.mails.code(for: "eve@example.com", in: "email_change")
    #expect(try await confirm(platform, principal, theirs) == (400, "invalid_code"))
    #expect(try await ask(platform, principal, "third@example.com") == (202, nil))
    let third = try platform.mails.code(for: "third@example.com", in: "email_change")
    let changed = try await platform.status(
      "PUT", "/v1/me/password", #"{"current":"correct horse","new":"another horse"}"#,
      as: principal)
    #expect(changed == (204, nil))
    #expect(try await confirm(platform, principal, third) == (400, "invalid_code"))
    try await platform.host.close()
  }

  @Test func `has no address that is another's, or its own, or no address`() async throws {
    let platform = try await AuthHost("platform")
    let (_, principal) = try await verified(platform)
    let eve = try await platform.signUp("eve@example.com")
    #expect(try await ask(platform, principal, "eve@example.com") == (409, "conflict"))
    #expect(try await ask(platform, principal, Self.old) == (400, "invalid_request"))
    #expect(try await ask(platform, principal, "nobody") == (400, "invalid_request"))
    #expect(try await ask(platform, principal) == (202, nil))
    // Taken between the two steps.
    let code = try platform.mails.code(for: Self.new, in: "email_change")
    _ = try await platform.signUp(Self.new)
    #expect(try await confirm(platform, principal, code) == (409, "conflict"))
    #expect(eve.account?.email == "eve@example.com")
    let silent = try await AuthHost("platform", sendsMail: false)
    let ada = try await silent.principal(try await silent.signUp())
    #expect(try await ask(silent, ada) == (503, "mail_unavailable"))
    try await silent.host.close()
    try await platform.host.close()
  }

  @Test func `is asked for no more than so many new addresses at once`() async throws {
    let platform = try await AuthHost("platform")
    let (_, principal) = try await verified(platform)
    for number in 0..<3 {
      #expect(try await ask(platform, principal, "a\(number)@example.com") == (202, nil))
    }
    #expect(try await ask(platform, principal, "a3@example.com") == (429, "rate_limited"))
    try await platform.host.advance(milliseconds: 300_000)
    #expect(try await ask(platform, principal, "a3@example.com") == (202, nil))
    try await platform.host.close()
  }

  @Test func `tells its owner of another password where the address is verified`() async throws {
    let platform = try await AuthHost("platform")
    let (_, principal) = try await verified(platform)
    func change(_ current: String, _ new: String) async throws {
      let status = try await platform.status(
        "PUT", "/v1/me/password", #"{"current":"\#(current)","new":"\#(new)"}"#, as: principal)
      #expect(status == (204, nil))
    }
    try await change("correct horse", "another horse")
    #expect(platform.mails.count(for: Self.old, in: "notice") == 1)
    _ = try await platform.status("POST", "/v1/passwords/forgot", #"{"email":"\#(Self.old)"}"#)
    let code = try platform.mails.code(for: Self.old, in: "password_reset")
    let reset = try await platform.status(
      "POST", "/v1/passwords/reset",
      #"{"email":"\#(Self.old)","code":"\#(code)","password":"the third horse"}"#)
    #expect(reset == (204, nil))
    #expect(platform.mails.count(for: Self.old, in: "notice") == 2)
    // Nobody has shown that this one is his.
    let eve = try await platform.principal(try await platform.signUp("eve@example.com"))
    let status = try await platform.status(
      "PUT", "/v1/me/password", #"{"current":"correct horse","new":"another horse"}"#, as: eve)
    #expect(status == (204, nil))
    #expect(platform.mails.count(for: "eve@example.com", in: "notice") == 0)
    try await platform.host.close()
  }

  @Test func `is deleted with its sessions, and the address is free again`() async throws {
    let platform = try await AuthHost("platform")
    try await platform.host.provide("sluice.account-ties/1", method: 1) { (query: TiesQuery) in
      #expect(query.account.hasPrefix("acc_") && query.address == "127.0.0.1")
      #expect(query.departure.hasPrefix("dep_") && query.departure != query.requestID)
      return TiesReply(keptBy: [], more: false)
    }
    let settled = Mutex<[String]>([])
    try await platform.host.provide("sluice.account-ties/1", method: 2) { (query: TiesQuery) in
      settled.withLock { $0.append(query.account) }
      return TiesSettled()
    }
    let (ada, principal) = try await verified(platform)
    #expect(
      try await delete(platform, principal, password: "wrong horse").problem?.code
        == "wrong_password")
    #expect(try await platform.refusal(of: ada.accessToken) == nil)
    #expect(settled.withLock { $0.isEmpty })
    #expect(try await delete(platform, principal).status == 204)
    #expect(settled.withLock { $0 } == [principal.id])
    #expect(try await platform.refusal(of: ada.accessToken) != nil)
    #expect(try await platform.refresh(ada.refreshToken).status == 401)
    #expect(try await platform.signIn().status == 401)
    #expect(try await platform.request("GET", "/v1/me", as: principal).status == 404)
    #expect(platform.mails.all.last?.subject.contains("was deleted") == true)
    #expect(platform.mails.all.last?.to == Self.old)
    let again = try await platform.signUp()
    #expect(again.account?.id != ada.account?.id)
    try await platform.host.close()
  }

  @Test func `stays while it is the only owner of something`() async throws {
    let platform = try await AuthHost("platform")
    try await platform.host.provide("sluice.account-ties/1", method: 1) { (_: TiesQuery) in
      TiesReply(keptBy: [TiesReply.Kept(id: "app_1", name: "Shop")], more: true)
    }
    let (ada, principal) = try await verified(platform)
    let refused = try await delete(platform, principal)
    #expect(refused.status == 409)
    #expect(refused.problem?.detail.contains("\"Shop\" (app_1) and more") == true)
    #expect(try await platform.refusal(of: ada.accessToken) == nil)
    #expect(try await platform.signIn().status == 201)
    try await platform.host.close()
  }
}
