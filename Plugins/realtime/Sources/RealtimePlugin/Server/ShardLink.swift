internal import PluginKit

/// How the shards of a tenant, one on each loop, ask each other: over a channel that no client can name.
///
/// Who is there to answer is known from the channel's members, so the asker waits for these and no longer.
final class ShardLink {
  static let channel = "@realtime"
  /// The number under which the channel's publications come; those of the hub's are never 0.
  static let number: UInt64 = 0
  /// The number under which letters to this shard alone come; the hub never has as many.
  static let ownNumber = UInt64.max
  /// Where it is told of users whose tokens are void, by whoever vouches for them; and the number of what comes there.
  static let usersChannel = "@users"
  static let usersNumber = UInt64.max - 1
  /// Where the host tells that what it recognised up to now is void, now or later (rotate_secret in sluice/ext/tenants.h).
  static let identitiesChannel = "@identities"
  static let identitiesNumber = UInt64.max - 2
  /// Where owners of channels tell who may not listen any more, and the number of what comes there.
  static let subscriptionsChannel = "@subscriptions"
  static let subscriptionsNumber = UInt64.max - 3
  /// How many questions of a shard may wait for the answer of one other shard. They hold what clients say.
  static let questionLimit = 128
  /// How long a shard may take to answer, in milliseconds. One that ends while it is asked never does.
  static let patience = 2_000

  /// What is asked of every shard.
  enum Question: Codable {
    /// Hear what the client of a session says.
    case emulate(session: String, data: String)
    /// Close the connections of a user, or one of them.
    case disconnect(user: String, client: String?)
    /// Name connections in the order of their names, those above `after`.
    case list(user: String?, after: String?, limit: Int)
  }

  struct Answer: Codable {
    var closed = 0
    /// Whether there is such a session.
    var isKnown = false
    var connections: [ConnectionRecord] = []
  }

  private struct Letter: Codable {
    let from: String
    /// nil is everybody.
    let to: String?
    let number: UInt64
    /// Until when a question waits for its answer, in Unix milliseconds: later it is not carried out.
    var until: Int64?
    var question: Question?
    var answer: Answer?
  }

  private struct Pending {
    var missing: Set<String>
    var answers: [Answer] = []
    let done: UnsafeContinuation<[Answer], Never>
  }

  private let context: ShardContext
  private let answer: (Question) -> Answer
  /// What this shard is called; nil until it has joined.
  private(set) var name: String?
  private var questions = 0
  private var last: UInt64 = 0
  private var pending: [UInt64: Pending] = [:]

  init(_ context: ShardContext, _ answer: @escaping (Question) -> Answer) {
    self.context = context
    self.answer = answer
  }

  /// Is heard by the other shards, and hears them, from now on. Again is nothing.
  @discardableResult
  func join() throws -> String {
    if let name { return name }
    let made = try context.id.make("shd")
    _ = try context.bus.subscribe(Self.channel, context: Self.number)
    _ = try context.bus.subscribe(Self.channel(of: made), context: Self.ownNumber)
    _ = try context.bus.subscribe(Self.usersChannel, context: Self.usersNumber)
    _ = try context.bus.subscribe(Self.identitiesChannel, context: Self.identitiesNumber)
    _ = try context.bus.subscribe(Self.subscriptionsChannel, context: Self.subscriptionsNumber)
    try context.presence.join(Self.channel, client: made, user: "shard")
    name = made
    return made
  }

  /// Asks all shards, this one too.
  func ask(_ question: Question) async throws -> [Answer] {
    let name = try join()
    let members = try await context.presence.members(of: Self.channel)
    return try await wait(for: Set(members.map(\.client))) { number in
      Letter(from: name, to: nil, number: number, question: question)
    }
  }

  /// Asks one shard; nil when there is no such shard.
  ///
  /// - Throws: `Problem` when too much is asked already, or no answer comes in time.
  func ask(_ question: Question, of shard: String) async throws -> Answer? {
    let name = try join()
    guard questions < Self.questionLimit else {
      throw Problem(
        status: 503, code: "overloaded", detail: "Too much is waiting. Try again later.")
    }
    questions += 1
    defer { questions -= 1 }
    guard
      try await context.presence.members(of: Self.channel).contains(where: { $0.client == shard })
    else { return nil }
    let until = try context.clock.now().unixMilliseconds + Int64(Self.patience)
    let answers = try await wait(for: [shard]) { number in
      Letter(from: name, to: shard, number: number, until: until, question: question)
    }
    guard let answer = answers.first else {
      throw Problem(
        status: 504, code: "deadline_exceeded",
        detail: "The connection's loop did not answer in time. It may carry out what was said.")
    }
    return answer
  }

  /// Sends a letter and returns the answers of those who are asked, as far as they have come in time.
  private func wait(
    for missing: Set<String>, _ letter: (UInt64) -> Letter
  ) async throws -> [Answer] {
    last += 1
    let number = last
    try send(letter(number))
    let timer = try context.timers.after(milliseconds: Self.patience) { [unowned self] in
      end(number)
    }
    let answers = await withUnsafeContinuation { done in
      pending[number] = Pending(missing: missing, done: done)
    }
    context.timers.cancel(timer)
    return answers
  }

  /// A publication in the channel, or in the shard's own.
  func receive(_ data: [UInt8]) {
    guard let name, let letter = try? JSON.decode(Letter.self, from: data),
      letter.to == nil || letter.to == name
    else { return }
    if let question = letter.question {
      if let until = letter.until, let now = try? context.clock.now().unixMilliseconds, now > until
      {
        return
      }
      let reply = Letter(
        from: name, to: letter.from, number: letter.number, answer: answer(question))
      do {
        try send(reply)
      } catch {
        context.log.error("another shard cannot be answered", ["error": "\(error)"])
      }
    } else if let answer = letter.answer {
      pending[letter.number]?.missing.remove(letter.from)
      pending[letter.number]?.answers.append(answer)
      if pending[letter.number]?.missing.isEmpty == true { end(letter.number) }
    }
  }

  private func end(_ number: UInt64) {
    guard let waiting = pending.removeValue(forKey: number) else { return }
    waiting.done.resume(returning: waiting.answers)
  }

  private func send(_ letter: Letter) throws {
    let channel = letter.to.map { Self.channel(of: $0) } ?? Self.channel
    try context.bus.publish(channel, data: RawJSON(encoding: letter))
  }

  private static func channel(of shard: String) -> String { "\(channel)/\(shard)" }
}

/// A connection, as an app's server sees it.
struct ConnectionRecord: Codable {
  let client: String
  let user: String
  let transport: String
  /// How many channels it listens to.
  let channels: Int
  let connectedAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case client, user, transport, channels
    case connectedAt = "connected_at"
  }
}
