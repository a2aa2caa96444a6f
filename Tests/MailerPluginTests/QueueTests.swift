import CCurl
import PluginKit
import PluginTesting
import Testing

@testable import MailerPlugin

@Suite struct `The queue of messages` {
  @Test func `delivers into the outbox, for the gateway's user alone`() async throws {
    let mailer = try await MailerHost(product: "Acme")
    let id = try await mailer.send(MailerHost.mail(text: "Your {product} code is 123456."))
    #expect(id.hasPrefix("msg_"))
    #expect(mailer.outbox.names == ["\(id).eml"])
    #expect(mailer.outbox.mode(of: "\(id).eml") == 0o600)
    #expect(mailer.outbox.text(of: "\(id).eml").contains("Your Acme code is 123456."))
    #expect(mailer.host.metric("sent_total") == 1)
    try await mailer.host.advance(milliseconds: 10_000_000)
    #expect(mailer.host.metric("sent_total") == 1)
    try await mailer.host.close()
  }

  @Test func `refuses what is no message`() async throws {
    let mailer = try await MailerHost()
    await #expect(throws: HostError(.invalid, "to is no address such as name@example.com")) {
      try await mailer.send(MailerHost.mail(to: "nobody"))
    }
    try await mailer.host.close()
  }

  @Test func `has room for so many that wait, and for more when they are gone`() async throws {
    let mailer = try await MailerHost(queueLimit: 2)
    mailer.outbox.block()
    try await mailer.send()
    try await mailer.send()
    await #expect(throws: HostError(.overloaded, "2 messages wait already")) {
      try await mailer.send()
    }
    #expect(mailer.host.metric("queue_full_total") == 1)
    mailer.outbox.unblock()
    try await mailer.host.advance(milliseconds: 10_000)
    #expect(mailer.outbox.names.count == 2)
    try await mailer.send()
    try await mailer.host.close()
  }

  @Test func `keeps the newest files of the outbox`() async throws {
    let mailer = try await MailerHost(outboxFiles: 2)
    var ids: [String] = []
    for _ in 0..<4 {
      ids.append(try await mailer.send())
      try await mailer.host.advance(milliseconds: 5)
    }
    #expect(mailer.outbox.names == ids.suffix(2).map { "\($0).eml" })
    try await mailer.host.close()
  }

  @Test func `tries again after a pause that doubles`() async throws {
    let mailer = try await MailerHost()
    mailer.outbox.block()
    let id = try await mailer.send()
    #expect(mailer.host.metric("attempts_failed_total") == 1)
    try await mailer.host.advance(milliseconds: 9_999)
    #expect(mailer.host.metric("attempts_failed_total") == 1)
    try await mailer.host.advance(milliseconds: 1)
    #expect(mailer.host.metric("attempts_failed_total") == 2)
    mailer.outbox.unblock()
    try await mailer.host.advance(milliseconds: 19_999)
    #expect(mailer.outbox.names == [])
    try await mailer.host.advance(milliseconds: 1)
    #expect(mailer.outbox.names == ["\(id).eml"])
    try await mailer.host.close()
  }

  @Test func `gives a message up, and says so in an event`() async throws {
    let mailer = try await MailerHost(attempts: 2)
    mailer.outbox.block()
    let id = try await mailer.send()
    try await mailer.host.advance(milliseconds: 10_000)
    let event = try #require(
      try await mailer.host.events.last { $0.type == "mailer.message.failed" })
    struct Failure: Decodable {
      var id: String
      var to: String
      var attempts: Int
      var reason: String
    }
    let failure = try event.data.decode(Failure.self)
    #expect(failure.id == id && failure.to == "ada@example.com" && failure.attempts == 2)
    // What is wrong, and nothing of where the operator keeps it.
    #expect(failure.reason.contains("Not a directory") && !failure.reason.contains("/"))
    mailer.outbox.unblock()
    try await mailer.host.advance(milliseconds: 10_000_000)
    #expect(mailer.outbox.names == [])
    try await mailer.host.close()
  }

  @Test func `takes a message once under one key, for seven days after its end`() async throws {
    let mailer = try await MailerHost(queueLimit: 1)
    mailer.outbox.block()
    let mail = MailerHost.mail().with { $0.key = "auth.let_1" }
    let id = try await mailer.send(mail)
    // The queue is full, and this message is in it.
    #expect(try await mailer.send(mail) == id)
    await #expect(throws: HostError.self) {
      try await mailer.send(mail.with { $0.key = "auth.let_2" })
    }
    mailer.outbox.unblock()
    try await mailer.host.advance(milliseconds: 10_000)
    #expect(try await mailer.send(mail) == id)
    #expect(mailer.outbox.names == ["\(id).eml"])
    #expect(mailer.host.metric("queued_total") == 1)
    try await mailer.host.advance(milliseconds: 7 * 86_400_000)
    let another = try await mailer.send()
    #expect(try await mailer.send(mail) != id)
    #expect(mailer.outbox.names.count == 3 && mailer.outbox.names.contains("\(another).eml"))
    try await mailer.host.close()
  }

  @Test func `takes a message once that comes twice at once`() async throws {
    let mailer = try await MailerHost()
    let host = mailer.host
    let mail = MailerHost.mail().with { $0.key = "auth.let_1" }
    async let first = host.call("sluice.mailer/1", method: 1, mail, as: MailAnswer.self)
    async let second = host.call("sluice.mailer/1", method: 1, mail, as: MailAnswer.self)
    let ids = [try await first.id, try await second.id]
    #expect(ids[0] == ids[1])
    try await host.settle()
    #expect(mailer.outbox.names == ["\(ids[0]).eml"])
    try await host.close()
  }

  @Test func `pauses for an hour at most`() {
    #expect(Delivery.pause(after: 1, first: 30) == 30_000)
    #expect(Delivery.pause(after: 2, first: 30) == 60_000)
    #expect(Delivery.pause(after: 7, first: 30) == 1_920_000)
    #expect(Delivery.pause(after: 8, first: 30) == 3_600_000)
    #expect(Delivery.pause(after: .max, first: 3_600) == 3_600_000)
  }
}

@Suite struct `What a server of SMTP has answered` {
  @Test(arguments: [
    (CURLE_OK, 250, Outcome.delivered),
    (CURLE_COULDNT_CONNECT, 0, .later("Couldn't connect to server")),
    (
      CURLE_SEND_ERROR, 451,
      .later("Failed sending data to the peer; the server answered 451")
    ),
    (
      CURLE_SEND_ERROR, 550,
      .never("Failed sending data to the peer; the server answered 550")
    ),
    (CURLE_LOGIN_DENIED, 535, .later("Login denied; the server answered 535")),
  ])
  func `is for good, or for now`(result: CURLcode, status: Int, outcome: Outcome) {
    #expect(SMTPDriver.outcome(result, status) == outcome)
  }
}

@Suite struct `The mailer's settings` {
  private func refusal(_ changes: [String: String], isPlatform: Bool = true) throws -> String? {
    let settings = try JSON.decode(
      MailerSettings.self, from: MailerHost.settings(changes: changes).bytes)
    do {
      try settings.check(isPlatform: isPlatform)
      return nil
    } catch let error as ConfigurationError {
      return error.pointer
    }
  }

  @Test func `are refused where they do not fit together`() throws {
    let smtp = ["driver": #""smtp""#, "smtp_host": #""smtp.example.com""#]
    func with(_ changes: [String: String]) -> [String: String] { smtp.merging(changes) { $1 } }
    let login = ["smtp_username": #""u""#, "smtp_password": #""p""#]
    #expect(try refusal([:]) == nil)
    #expect(try refusal(smtp) == nil)
    #expect(try refusal(["from_address": #""nobody""#]) == "/from_address")
    #expect(try refusal(["product_name": #""a\nb""#]) == "/product_name")
    #expect(try refusal(["driver": #""smtp""#]) == "/smtp_host")
    #expect(try refusal(with(["smtp_host": #""a/b""#])) == "/smtp_host")
    #expect(try refusal(with(["smtp_host": #""[::1]""#])) == nil)
    for host in ["localhost..", ".localhost", "a..b", ".", "[]"] {
      #expect(try refusal(with(["smtp_host": "\"\(host)\""])) == "/smtp_host", "\(host)")
    }
    #expect(try refusal(with(["smtp_username": #""u""#])) == "/smtp_password")
    #expect(try refusal(with(["smtp_password": #""p""#])) == "/smtp_username")
    #expect(try refusal(with(login)) == nil)
    #expect(
      try refusal(with(login).merging(["smtp_security": #""none""#]) { $1 }) == "/smtp_security")
    let here = with(login).merging(["smtp_security": #""none""#, "smtp_host": #""localhost.""#]) {
      $1
    }
    #expect(try refusal(here) == nil)
    #expect(try refusal(with(["smtp_port": "6379"])) == nil)
    #expect(try refusal(with(["smtp_port": "6379"]), isPlatform: false) == "/smtp_port")
    #expect(try refusal(["smtp_ca_file": #""ca.pem""#], isPlatform: false) == "/smtp_ca_file")
  }

  @Test(arguments: [
    ("smtp.example.com", true), ("8.8.8.8", true), ("[2606:4700::1111]", true),
    ("127.0.0.1", false),
    ("localhost", false), ("LOCALHOST", false), ("mail.localhost", false), ("127.1", false),
    ("0x7f.1", false), ("2130706433", false), ("10.0.0.1", false), ("169.254.169.254", false),
    ("[::1]", false), ("[fd00::1]", false), ("[::ffff:10.0.0.1]", false),
    ("smtp.example.com.", true), ("8.8.8.8.", true), ("localhost.", false), ("LocalHost.", false),
    ("mail.localhost.", false), ("127.0.0.1.", false), ("127.1.", false), ("2130706433.", false),
    ("0x7f000001", false), ("017700000001", false), ("0", false), ("localhost.localdomain", false),
    ("ip6-localhost", false), ("[::ffff:7f00:1]", false), ("[0:0:0:0:0:0:0:1]", false),
    ("[::127.0.0.1]", false), ("[fe80::1]", false),
  ])
  func `of an app name no server of the operator's network`(host: String, isTaken: Bool) throws {
    let changes = ["driver": #""smtp""#, "smtp_host": "\"\(host)\""]
    #expect(try refusal(changes, isPlatform: false) == (isTaken ? nil : "/smtp_host"))
    #expect(try refusal(changes) == nil)
  }
}
