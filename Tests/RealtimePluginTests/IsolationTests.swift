import PluginKit
import Synchronization
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `Users of all sockets and streams` {
  /// A seed that fails is named by the failing test.
  @Test(arguments: [UInt64](20_260_101..<20_260_113))
  func `hear what they may and all of it, in whatever order things happen`(_ seed: UInt64)
    async throws
  {
    let permissions = Permissions()
    let host = try await TestHost(
      Realtime.self, manifest: "Plugins/realtime/plugin.json", config: everything
    ) { host in
      try await host.provide("sluice.channel-authority/1", key: "chat", method: 1) {
        (question: Question) in
        Answer(allow: permissions.allow(question.principal.id, question.channel))
      }
    }
    do {
      var house = House(host: host, permissions: permissions, seed: seed)
      try await house.live()
    } catch {
      try? await host.close()
      throw error
    }
    try await host.close()
  }
}

/// Who may listen to which channel of the namespace that has an owner. Asked on the host's loop, changed by the test.
private final class Permissions: Sendable {
  private let granted = Mutex<Set<String>>([])

  func allow(_ user: String, _ channel: String) -> Bool {
    granted.withLock { $0.contains("\(user) \(channel)") }
  }

  func set(_ isAllowed: Bool, _ user: String, _ channel: String) {
    granted.withLock { granted in
      if isAllowed {
        granted.insert("\(user) \(channel)")
      } else {
        granted.remove("\(user) \(channel)")
      }
    }
  }
}

/// Users who connect in every way, subscribe, publish and leave in any order, an owner who changes its mind, and what
/// each of them may have heard.
private struct House {
  enum Way: CaseIterable { case commands, differences, httpStream, sse, plain, oneWay }

  /// What a person hears and speaks over.
  enum Link {
    case socket(TestSocket)
    case stream(StreamClient)

    /// All that has come.
    var text: String {
      get async throws {
        switch self {
        case .socket(let socket): try await socket.received.map(\.text).joined(separator: "\n")
        case .stream(let client): try await client.answer.pieces().text
        }
      }
    }

    /// The code with which the server has ended it.
    var code: Int? {
      get async throws {
        switch self {
        case .socket(let socket): try await socket.closed().code
        case .stream(let client): try await client.disconnected().code
        }
      }
    }
  }

  struct Person {
    let way: Way
    let user: String
    let link: Link
    var channels: Set<String>
    /// The numbers of what was published where it listened, in their order.
    var expected: [Int] = []
  }

  // Some read as a list of others where one reads them as such.
  static let users = ["a", "b", "c", "d", "x#a", "a,b"]
  static let owned = ["chat:m:x", "chat:m:y"]
  static let channels =
    [
      "room", "small:x", "fleeting:x", "#a", "#x#a", "#a,b", "pair#a,b", "pair#c,d", "closed:x",
      "none:x",
    ] + owned

  let host: TestHost
  let permissions: Permissions
  let seed: UInt64
  private var random: SplitMix
  private var people: [Person] = []
  private var step = 0

  init(host: TestHost, permissions: Permissions, seed: UInt64) {
    self.host = host
    self.permissions = permissions
    self.seed = seed
    random = SplitMix(seed)
  }

  mutating func live() async throws {
    for _ in 0..<200 {
      step += 1
      switch Int.random(in: 0..<16, using: &random) {
      case 0, 1, 2: try await connect()
      case 3, 4, 5, 6: try await subscribe()
      case 7: try await unsubscribe()
      case 8: try await leave()
      case 9: try await changeItsMind()
      case 10, 11: try await emit()
      default: try await publish()
      }
    }
    for person in people { try await check(person) }
  }

  /// What the house decides, by itself.
  private func may(_ user: String, _ channel: String) -> Bool {
    switch channel {
    case "closed:x", "none:x": return false
    case _ where Self.owned.contains(channel): return permissions.allow(user, channel)
    case _ where channel.hasPrefix("#"): return channel.dropFirst() == user
    default:
      guard let hash = channel.firstIndex(of: "#") else { return true }
      return channel[channel.index(after: hash)...].split(separator: ",").contains { $0 == user }
    }
  }

  private mutating func connect() async throws {
    guard people.count < 12, let user = Self.users.randomElement(using: &random),
      let way = Way.allCases.randomElement(using: &random)
    else { return }
    switch way {
    case .commands, .differences:
      let client = try await host.client(as: .user(user))
      people.append(
        Person(way: way, user: user, link: .socket(client.socket), channels: ["#\(user)"]))
    case .httpStream, .sse:
      let client = try await host.stream(
        way == .sse ? "sse" : "http_stream", as: .user(user))
      people.append(Person(way: way, user: user, link: .stream(client), channels: ["#\(user)"]))
    case .plain:
      let client = try await host.plain(as: .user(user))
      people.append(
        Person(way: way, user: user, link: .socket(client.socket), channels: ["#\(user)"]))
    case .oneWay:
      let wanted = Set((0..<2).compactMap { _ in Self.channels.randomElement(using: &random) })
      // The comma in a name separates names here.
      guard !wanted.contains(where: { $0.contains(",") }) else { return }
      let names = wanted.sorted().joined(separator: ",").replacing("#", with: "%23")
      let socket = try await host.listen(names, as: .user(user))
      guard wanted.allSatisfy({ may(user, $0) }) else {
        #expect(try await socket.closed().code == 3507, "seed \(seed): \(user) in \(wanted)")
        return
      }
      _ = try await socket.hello()
      people.append(Person(way: way, user: user, link: .socket(socket), channels: wanted))
    }
  }

  private mutating func someone(but way: Way? = nil) -> (Int, String)? {
    guard let who = people.indices.randomElement(using: &random), people[who].way != way,
      let channel = Self.channels.randomElement(using: &random)
    else { return nil }
    return (who, channel)
  }

  /// Sends what a client of either kind says, and tells whether it was refused.
  private func ask(_ person: Person, _ type: String, _ members: String) async throws -> Bool {
    let id = 1_000 + step
    switch person.link {
    case .stream(let client):
      return try await client.ask(id, #""\#(type)":{\#(members)}"#).error != nil
    case .socket(let socket) where person.way == .plain:
      let client = PlainClient(host: host, socket: socket)
      return try await client.ask(id, #""type":"\#(type)",\#(members)"#).type == "error"
    case .socket(let socket):
      try await socket.send(#"{"id":\#(id),"\#(type)":{\#(members)}}"#)
      try await host.settle()
      let lines = try await socket.received.flatMap { message in
        try message.bytes.split(separator: UInt8(ascii: "\n")).map {
          try JSON.decode(Line.self, from: Array($0))
        }
      }
      return try #require(lines.last { $0.id == id }).error != nil
    }
  }

  private mutating func subscribe() async throws {
    guard let (who, channel) = someone(but: .oneWay), !people[who].channels.contains(channel) else {
      return
    }
    let person = people[who]
    let more = person.way == .differences ? #","delta":"fossil""# : ""
    let isRefused = try await ask(person, "subscribe", #""channel":"\#(channel)"\#(more)"#)
    #expect(isRefused == !may(person.user, channel), "seed \(seed): \(person.user) in \(channel)")
    if !isRefused { people[who].channels.insert(channel) }
  }

  private mutating func unsubscribe() async throws {
    guard let (who, channel) = someone(but: .oneWay), people[who].channels.contains(channel) else {
      return
    }
    #expect(try await !ask(people[who], "unsubscribe", #""channel":"\#(channel)""#))
    people[who].channels.remove(channel)
  }

  private mutating func publish() async throws {
    guard let (who, channel) = someone(but: .oneWay) else { return }
    let isRefused = try await ask(
      people[who], "publish", #""channel":"\#(channel)","data":"~\#(step)~""#)
    if !isRefused { hear(channel) }
  }

  /// The owner of channels emits an event there.
  private mutating func emit() async throws {
    guard let channel = Self.owned.randomElement(using: &random) else { return }
    try await host.emit(RawJSON(encoding: "~\(step)~"), channel)
    hear(channel)
  }

  private mutating func hear(_ channel: String) {
    for index in people.indices where people[index].channels.contains(channel) {
      people[index].expected.append(step)
    }
  }

  private mutating func leave() async throws {
    guard let (who, _) = someone() else { return }
    // Streams end when the server ends them.
    guard case .socket(let socket) = people[who].link else { return }
    try await check(people[who])
    try await socket.close()
    people.remove(at: who)
  }

  /// A user may from now on, or may no more; then the owner has the user's connections closed.
  private mutating func changeItsMind() async throws {
    guard let user = Self.users.randomElement(using: &random),
      let channel = Self.owned.randomElement(using: &random)
    else { return }
    let isAllowed = !permissions.allow(user, channel)
    permissions.set(isAllowed, user, channel)
    guard !isAllowed else { return }
    for person in people where person.user == user { try await check(person) }
    let closed = try await host.request(
      "POST", "/v1/disconnect", body: #"{"user":"\#(user)"}"#, as: .key())
    #expect(closed.text == #"{"disconnected":\#(people.count { $0.user == user })}"#)
    for person in people where person.user == user {
      #expect(try await person.link.code == 3503)
    }
    people.removeAll { $0.user == user }
  }

  /// What somebody has heard is what was published where they listened: nothing else, nothing twice, nothing less.
  private func check(_ person: Person) async throws {
    try await host.settle()
    // As a member's value, be it within a text; an event's id has the number too.
    let heard = try await person.link.text.matches(of: /:(?:\\?"|"\\")~([0-9]+)~/).compactMap {
      Int($0.output.1)
    }
    #expect(heard == person.expected, "seed \(seed): \(person.user), \(person.way)")
  }
}
