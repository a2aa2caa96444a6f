import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

/// What strangers who know an address, and have a few networks, cannot keep its owner from.
@Suite struct `An account's owner` {
  private let email = "ada@example.com"
  private let ask = #"{"email":"ada@example.com"}"#

  private func signIn(
    _ platform: AuthHost, _ password: String, from peer: String
  ) async throws -> Int {
    try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"\#(password)"}"#, from: peer
    ).status
  }

  /// Asks for a letter.
  ///
  /// - Returns: how many have been sent.
  private func askForCode(_ platform: AuthHost, from peer: String) async throws -> Int {
    let reply = try await platform.request("POST", "/v1/passwords/forgot", ask, from: peer)
    #expect(reply.status == 202 && reply.text == "")
    try await platform.host.settle()
    return platform.mails.count(for: email, in: "password_reset")
  }

  private func reset(
    _ platform: AuthHost, to password: String, code: String? = nil, from peer: String
  ) async throws -> Int {
    let code = try code ?? platform.mails.code(for: email, in: "password_reset")
    return try await platform.request(
      "POST", "/v1/passwords/reset",
      #"{"email":"ada@example.com","code":"\#(code)","password":"\#(password)"}"#, from: peer
    ).status
  }

  /// Strangers ask for all the letters that there are, and use their tries up.
  private func exhaust(_ platform: AuthHost, from strangers: [String]) async throws {
    for stranger in strangers {
      for _ in 0..<3 { _ = try await askForCode(platform, from: stranger) }
    }
    for stranger in strangers {
      for _ in 0..<8 {
        #expect(
          try await reset(platform, to: "stolen horse", code: "0000-0000", from: stranger) == 400)
      }
    }
  }

  /// Strangers guess until nobody may from an unknown network.
  private func guess(_ platform: AuthHost, in net: String = "203.0.113") async throws {
    for stranger in 1...4 {
      for _ in 0..<5 {
        #expect(try await signIn(platform, "wrong horse", from: "\(net).\(stranger)") == 401)
      }
    }
    #expect(try await signIn(platform, "wrong horse", from: "\(net).5") == 429)
  }

  @Test(arguments: ["127.0.0.1", "198.51.100.9"])
  func `gets a letter and a new password while strangers ask for theirs`(peer: String) async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await exhaust(platform, from: ["203.0.113.1", "203.0.113.2"])
    #expect(try await askForCode(platform, from: "203.0.113.1") == 6)
    #expect(try await askForCode(platform, from: peer) == 7)
    #expect(try await reset(platform, to: "another horse", from: peer) == 204)
    try await platform.host.close()
  }

  @Test func `gets letters where he is known however many networks ask`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    for stranger in 1...14 {
      let sent = try await askForCode(platform, from: "203.0.113.\(stranger)")
      #expect(sent == min(stranger, 12))
    }
    #expect(try await askForCode(platform, from: "198.51.100.9") == 12)
    #expect(try await askForCode(platform, from: "127.0.0.1") == 13)
    // Bounded there as anywhere.
    for _ in 0..<4 { _ = try await askForCode(platform, from: "127.0.0.1") }
    #expect(platform.mails.count(for: email, in: "password_reset") == 15)
    try await platform.host.close()
  }

  @Test func `gets a letter while one site of IPv6 asks from all its networks`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    for network in 1...20 {
      let sent = try await askForCode(platform, from: "2001:db8:1:\(network)::1")
      #expect(sent == min(network, 3))
    }
    #expect(try await askForCode(platform, from: "198.51.100.9") == 4)
    try await platform.host.close()
  }

  @Test func `is no more known where somebody else had signed in before a new password`()
    async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    let thief = "192.0.2.66"
    #expect(try await signIn(platform, "correct horse", from: thief) == 201)
    _ = try await askForCode(platform, from: "127.0.0.1")
    #expect(try await reset(platform, to: "another horse", from: "127.0.0.1") == 204)
    try await guess(platform)
    #expect(try await signIn(platform, "another horse", from: thief) == 429)
    #expect(try await signIn(platform, "another horse", from: "127.0.0.1") == 201)
    try await platform.host.close()
  }

  @Test func `who has shown that he reads the mail signs in while strangers guess`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await guess(platform)
    let home = "198.51.100.9"
    #expect(try await signIn(platform, "correct horse", from: home) == 429)
    _ = try await askForCode(platform, from: home)
    #expect(try await reset(platform, to: "another horse", from: home) == 204)
    try await guess(platform, in: "192.0.2")
    #expect(try await signIn(platform, "another horse", from: "198.51.100.10") == 429)
    #expect(try await signIn(platform, "another horse", from: home) == 201)
    try await platform.host.close()
  }

  @Test func `who has verified the address signs in from there while strangers guess`() async throws
  {
    let platform = try await AuthHost(
      "platform",
      settings: AuthHost.settings([
        #""require_verified_email":false"#: #""require_verified_email":true"#
      ]))
    let made = try await platform.request(
      "POST", "/v1/accounts",
      #"{"email":"ada@example.com","password":"correct horse","name":"Ada"}"#)
    #expect(made.status == 201)
    try await platform.host.settle()
    try await guess(platform)
    let code = try platform.mails.code(for: email, in: "verification")
    let verified = try await platform.request(
      "POST", "/v1/accounts/verify",
      #"{"email":"ada@example.com","code":"\#(code)","password":"correct horse"}"#)
    #expect(verified.status == 204)
    #expect(try await signIn(platform, "correct horse", from: "127.0.0.1") == 201)
    try await platform.host.close()
  }

  @Test func `is known in a network of IPv6, whichever address of it is the day's`() async throws {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    #expect(try await signIn(platform, "correct horse", from: "2001:db8:1:2::7") == 201)
    try await guess(platform)
    #expect(try await signIn(platform, "correct horse", from: "2001:db8:1:3::7") == 429)
    #expect(try await signIn(platform, "correct horse", from: "2001:db8:1:2:a:b:c:d") == 201)
    try await platform.host.close()
  }
}
