import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

@Suite struct `Users of the protocol` {
  @Test func `keeps users apart, in whatever order things happen`() async throws {
    var random = SplitMix(20_260_101)
    for _ in 0..<6 {
      try await withRealtime(everything) { host async throws in
        try await Bystanders(host: host).live(&random)
      }
    }
  }
}

/// Users who connect, subscribe, publish and leave in any order, and what each of them may have heard.
private struct Bystanders {
  let host: TestHost

  private struct Person {
    let client: ProtocolClient
    let user: String
    var channels: Set<String>
    var expected: [String] = []
  }

  func live(_ random: inout SplitMix) async throws {
    let names = ["a", "b", "c", "d"]
    let channels = ["room", "small:x", "fleeting:x", "#a", "pair#a,b", "pair#c,d", "closed:x"]
    var people: [Person] = []
    for step in 0..<120 {
      let who = people.indices.randomElement(using: &random)
      let channel = channels.randomElement(using: &random) ?? "room"
      switch Int.random(in: 0..<10, using: &random) {
      case 0, 1:
        guard people.count < 8, let user = names.randomElement(using: &random) else { continue }
        let client = try await host.client(as: .user(user))
        people.append(Person(client: client, user: user, channels: ["#\(user)"]))
      case 2, 3, 4:
        guard let who, !people[who].channels.contains(channel) else { continue }
        let reply = try await people[who].client.subscribe(channel, id: 1_000 + step)
        let users = channel.split(separator: "#", omittingEmptySubsequences: false).dropFirst()
          .last?
          .split(separator: ",")
        let isAllowed =
          channel != "closed:x" && (users.map { $0.contains { $0 == people[who].user } } ?? true)
        #expect((reply.error == nil) == isAllowed, "\(people[who].user) in \(channel)")
        if isAllowed { people[who].channels.insert(channel) }
      case 5:
        guard let who, people[who].channels.contains(channel) else { continue }
        _ = try await people[who].client.ask(
          1_000 + step, #""unsubscribe":{"channel":"\#(channel)"}"#)
        people[who].channels.remove(channel)
      case 6:
        guard let who else { continue }
        try await check(people[who])
        try await people[who].client.socket.close()
        people.remove(at: who)
      default:
        guard let who else { continue }
        let reply = try await people[who].client.publish(
          "\"\(channel) \(step)\"", in: channel, id: 1_000 + step)
        guard reply.error == nil else { continue }
        for index in people.indices where people[index].channels.contains(channel) {
          people[index].expected.append("\"\(channel) \(step)\"")
        }
      }
    }
    for person in people { try await check(person) }
  }

  private func check(_ person: Person) async throws {
    try await host.settle()
    let heard = try await person.client.lines.compactMap { $0.push?.pub?.data.text }
    #expect(heard == person.expected, "\(person.user)")
  }
}
