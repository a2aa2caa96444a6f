import PluginKit
import PluginTesting
import Testing

@testable import MailerPlugin

/// A plugin with the mailer's queue and nobody who delivers: the test does what several loops would.
private struct QueueDesk: Plugin {
  let settings: MailerSettings

  init(_ context: InstanceContext) throws { settings = try context.config() }

  func makeShard(_ context: ShardContext) throws -> QueueDeskShard {
    QueueDeskShard(Queue(settings, context))
  }
}

private final class QueueDeskShard: PluginShard {
  private let queue: Queue
  private var claimed: [Queue.Claimed] = []

  init(_ queue: Queue) { self.queue = queue }

  static func register(_ on: inout Registry<QueueDeskShard>) {
    on.service("sluice.mailer/1", method: 1) { (shard, step: Step) async throws in
      Outcome(holds: try await shard.take(step))
    }
  }

  private func take(_ step: Step) async throws -> Bool {
    switch step.does {
    case .add:
      _ = try await queue.add(MailerHost.mail())
      return true
    case .claim:
      guard let message = try await queue.claim(lease: 1_000) else { return false }
      claimed.append(message)
      return true
    case .postpone:
      return try await queue.postpone(
        claimed[step.attempt], reason: "late", until: Timestamp(unixMilliseconds: 0))
    case .fail: return try await queue.fail(claimed[step.attempt], reason: "late")
    case .giveBack: return try await queue.giveBack(claimed[step.attempt])
    case .sent:
      try await queue.sent(claimed[step.attempt])
      return true
    }
  }
}

private struct Step: Codable, Sendable {
  enum Kind: String, Codable, Sendable { case add, claim, postpone, fail, giveBack, sent }

  var does: Kind
  /// Which of the attempts that have claimed a message, from 0.
  var attempt = 0
}

private struct Outcome: Codable, Sendable {
  var holds: Bool
}

@Suite struct `An attempt that was overtaken` {
  private func desk() async throws -> TestHost {
    try await TestHost(
      QueueDesk.self, manifest: "Plugins/mailer/plugin.json", config: MailerHost.settings(),
      tenant: "platform")
  }

  private func take(_ host: TestHost, _ kind: Step.Kind, _ attempt: Int = 0) async throws -> Bool {
    try await host.call(
      "sluice.mailer/1", method: 1, Step(does: kind, attempt: attempt), as: Outcome.self
    ).holds
  }

  /// A message whose first attempt still goes on when its lease is over and the second has begun.
  private func overtaken() async throws -> TestHost {
    let host = try await desk()
    #expect(try await take(host, .add))
    #expect(try await take(host, .claim))
    #expect(try await !take(host, .claim))
    try await host.advance(milliseconds: 1_000)
    #expect(try await take(host, .claim))
    return host
  }

  private func row(_ host: TestHost) async throws -> [String] {
    try await host.execute("SELECT state, attempts, COALESCE(reason, '') FROM mailer_messages")[0]
  }

  @Test(arguments: ["postpone", "fail", "giveBack"])
  func `leaves the message to the one that has taken it over`(name: String) async throws {
    let kind = try #require(Step.Kind(rawValue: name))
    let host = try await overtaken()
    #expect(try await !take(host, kind, 0))
    #expect(try await row(host) == ["queued", "2", ""])
    #expect(try await host.events.isEmpty)
    #expect(try await take(host, kind, 1))
    #expect(try await row(host) != ["queued", "2", ""])
    try await host.close()
  }

  /// One that is given back leaves its number to the next.
  @Test func `is not taken for a later one of the same number`() async throws {
    let host = try await overtaken()
    #expect(try await take(host, .giveBack, 1))
    #expect(try await row(host) == ["queued", "1", ""])
    #expect(try await !take(host, .fail, 0))
    try await host.advance(milliseconds: 1)
    #expect(try await take(host, .claim))
    #expect(try await !take(host, .postpone, 1))
    #expect(try await row(host) == ["queued", "2", ""])
    try await host.close()
  }

  @Test func `has sent the message all the same, and nothing brings it back`() async throws {
    let host = try await overtaken()
    #expect(try await take(host, .sent, 0))
    #expect(try await !take(host, .postpone, 1))
    #expect(try await row(host) == ["sent", "2", ""])
    try await host.close()
  }
}
