import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A letter` {
  private let email = "ada@example.com"

  private func verify(_ platform: AuthHost, _ code: String) async throws -> Int {
    try await platform.request(
      "POST", "/v1/accounts/verify",
      #"{"email":"ada@example.com","code":"\#(code)","password":"correct horse"}"#
    ).status
  }

  @Test func `waits for a mailer that does not take it, and is handed over once`() async throws {
    let platform = try await AuthHost("platform")
    platform.mails.set(.refusing)
    _ = try await platform.signUp()
    try await platform.host.settle()
    try await platform.host.advance(milliseconds: 25_000)
    #expect(platform.mails.all.isEmpty)
    #expect(platform.host.log.contains { $0.message == "letters wait for the mailer" })
    platform.mails.set(.taking)
    try await platform.host.advance(milliseconds: 10_000)
    #expect(platform.mails.count(for: email, in: "verification") == 1)
    try await platform.host.advance(milliseconds: 3_000_000)
    #expect(platform.mails.all.count == 1)
    #expect(try await verify(platform, platform.mails.code(for: email, in: "verification")) == 204)
    try await platform.host.close()
  }

  @Test func `comes again under the same key when the mailer's answer was lost`() async throws {
    let platform = try await AuthHost("platform")
    platform.mails.set(.silent)
    _ = try await platform.signUp()
    try await platform.host.settle()
    platform.mails.set(.taking)
    try await platform.host.advance(milliseconds: 60_000)
    let mails = platform.mails.all
    try #require(mails.count == 2)
    #expect(mails[0].key == mails[1].key && mails[0].key.hasPrefix("auth.let_"))
    #expect(mails[0].text == mails[1].text)
    try await platform.host.close()
  }

  /// As a crash leaves it: claimed by a loop that is no more.
  @Test func `that was being handed over is handed over again when its lease is over`()
    async throws
  {
    let platform = try await AuthHost("platform")
    platform.mails.set(.refusing)
    _ = try await platform.signUp()
    try await platform.host.settle()
    platform.mails.set(.taking)
    let lease = platform.host.now.unixMilliseconds + 30_000
    try await platform.host.execute("UPDATE auth_letters SET due_at = \(lease)")
    try await platform.host.advance(milliseconds: 29_999)
    #expect(platform.mails.all.isEmpty)
    try await platform.host.advance(milliseconds: 1)
    #expect(platform.mails.all.count == 1)
    try await platform.host.close()
  }

  @Test func `is dropped when its code has expired`() async throws {
    let platform = try await AuthHost("platform")
    platform.mails.set(.refusing)
    _ = try await platform.signUp()
    try await platform.host.settle()
    try await platform.host.advance(milliseconds: 3_600_000)
    platform.mails.set(.taking)
    try await platform.host.advance(milliseconds: 60_000)
    #expect(platform.mails.all.isEmpty)
    try await platform.host.close()
  }

  @Test func `is committed with the account, and not where the address is taken`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    let again = try await platform.status(
      "POST", "/v1/accounts", #"{"email":"ada@example.com","password":"correct horse","name":"A"}"#)
    #expect(again == (409, "conflict"))
    #expect(
      try await platform.host.execute("SELECT purpose FROM auth_letters") == [["verification"]])
    #expect(platform.mails.all.count == 1)
    try await platform.host.close()
  }

  @Test func `has no code in the database`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    let code = try platform.mails.code(for: email, in: "verification")
    let rows = try await platform.host.execute("SELECT * FROM auth_letters")
    try #require(rows.count == 1)
    #expect(!rows[0].contains { $0.contains(code) })
    try await platform.host.close()
  }
}
