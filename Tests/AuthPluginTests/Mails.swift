import PluginKit
import Synchronization
import Testing

@testable import AuthPlugin

/// A mailer that keeps what it is given.
final class Mails: Sendable {
  struct Mail: Codable, Sendable {
    var to: String
    var subject: String
    var text: String
    var category: String
    var key: String
  }

  /// What the mailer does with a message.
  enum Mood: Sendable {
    case taking
    /// Its queue is full.
    case refusing
    /// It takes the message, and its answer is lost.
    case silent
  }

  struct Answer: Codable, Sendable {
    var id: String
  }

  private let kept = Mutex<[Mail]>([])
  private let mood = Mutex(Mood.taking)

  var all: [Mail] { kept.withLock { $0 } }

  func set(_ mood: Mood) {
    self.mood.withLock { $0 = mood }
  }

  func take(_ mail: Mail) throws -> Answer {
    let mood = mood.withLock(\.self)
    if mood == .refusing { throw HostError(.overloaded, "5 messages wait already") }
    kept.withLock { $0.append(mail) }
    if mood == .silent { throw HostError(.unavailable, "the provider has gone") }
    return Answer(id: "msg_1")
  }

  /// How many messages of a category have gone to an address.
  func count(for address: String, in category: String) -> Int {
    all.count { $0.to == address && $0.category == category }
  }

  /// The code in the last message to an address.
  func code(for address: String, in category: String) throws -> String {
    let mail = try #require(all.last { $0.to == address && $0.category == category })
    return String(try #require(mail.text.firstMatch(of: /[0-9a-z]{4}-[0-9a-z]{4}/)).output)
  }
}

extension KeyRing {
  func signingKey(_ place: Int) throws -> SigningKey {
    try SigningKey(serialized: try #require(Base64.url.decode(entries[place].pair.utf8)))
  }
}

extension AuthHost {
  /// The principal of a session.
  func principal(_ session: SignedIn) async throws -> Principal {
    try await identify(session.accessToken).principal
  }

  func signIn(
    _ email: String = "ada@example.com", _ password: String = "correct horse", more: String = ""
  ) async throws -> (status: Int, code: String?, retryAfter: String?) {
    let reply = try await request(
      "POST", "/v1/sessions", #"{"email":"\#(email)","password":"\#(password)"\#(more)}"#)
    return (reply.status, reply.problem?.code, reply.header("retry-after"))
  }

  /// Waits for what was begun behind an answer.
  func status(
    _ method: String, _ target: String, _ body: String = "", as principal: Principal = .anonymous
  ) async throws -> (status: Int, code: String?) {
    let reply = try await request(method, target, body, as: principal)
    try await host.settle()
    return (reply.status, reply.problem?.code)
  }
}
