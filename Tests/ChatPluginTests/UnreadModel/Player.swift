import PluginKit
import PluginTesting

/// Has a history happen to the plugin and to the model, and compares what both say.
struct Player {
  let host: TestHost
  let names: Names
  private var model = UnreadModel()
  /// How much of what was published has been looked at.
  private var heard = 0
  /// What a user's devices show, by user and channel or thread, from what was pushed to them and nothing else.
  private var shown: [[String: Shown]] = Array(repeating: [:], count: UnreadModel.users)

  /// Whose devices ask anew, since they are not told of what has happened.
  private var reloading: [Int] = []

  private struct Shown: Decodable {
    let channel: String
    let parentID: String?
    let unread: Int

    init(channel: String, parentID: String? = nil, unread: Int) {
      self.channel = channel
      self.parentID = parentID
      self.unread = unread
    }

    private enum CodingKeys: String, CodingKey {
      case channel
      case parentID = "parent_id"
      case unread
    }
  }

  init(_ host: TestHost, history: Int) async throws {
    self.host = host
    names = Names(history: history)
    heard = try await host.published.count
    for (number, channel) in model.channels.enumerated() {
      let parts = names.channel(number).split(separator: ":")
      let members = channel.members.keys.sorted().map { "\"\(names.user($0))\"" }
      try await host.create(
        #"{"type":"\#(parts[0])","id":"\#(parts[1])","members":[\#(members.joined(separator: ","))]}"#,
        as: .key())
    }
  }

  /// - Returns: how many steps it took until something was wrong, and what; nil when nothing is.
  mutating func play(_ steps: [Step]) async throws -> (steps: Int, fault: String)? {
    for (index, step) in steps.enumerated() {
      if let fault = try await perform(step) { return (index + 1, fault) }
      // What is told is compared for everybody; one after another asks as well, and all of them in the end.
      let asking =
        index == steps.count - 1 ? Array(0..<UnreadModel.users) : [index % UnreadModel.users]
      if let fault = try await difference(asking) { return (index + 1, fault) }
    }
    return nil
  }

  private mutating func perform(_ step: Step) async throws -> String? {
    guard case .together(let steps) = step else {
      guard let deed = model.deed(step, names) else { return nil }
      let fault = try await end(try await begin(deed), deed)
      switch step {
      case .erase(let user, _): reloading = [user % UnreadModel.users]
      case .bring: reloading = Array(0..<UnreadModel.users)
      default: break
      }
      return fault
    }
    let deeds = steps.compactMap { model.deed($0, names) }
    var pending: [PendingReply] = []
    for deed in deeds { pending.append(try await begin(deed)) }
    for (deed, reply) in zip(deeds, pending) {
      let reply = try await reply.reply()
      guard reply.status == deed.status else { return fault(deed, reply) }
      deed.effect(&model)
    }
    return nil
  }

  private func begin(_ deed: Deed) async throws -> PendingReply {
    try await host.begin(deed.method, deed.target, body: deed.body, as: deed.principal)
  }

  private mutating func end(_ pending: PendingReply, _ deed: Deed) async throws -> String? {
    let reply = try await pending.reply()
    guard reply.status == deed.status else { return fault(deed, reply) }
    deed.effect(&model)
    struct Answer: Decodable { let unread: Int? }
    guard let expected = deed.answers?(model) else { return nil }
    let unread = try reply.json(Answer.self).unread
    return unread == expected ? nil : fault(deed, reply) + ", where \(expected) are unread"
  }

  private func fault(_ deed: Deed, _ reply: TestReply) -> String {
    "\(deed.method) \(deed.target) \(deed.body) is answered \(reply.status) \(reply.text), and not \(deed.status)"
  }

  /// What the plugin says otherwise than the model: to anybody by itself, and to these when they ask.
  private mutating func difference(_ asking: [Int]) async throws -> String? {
    try await host.breathe()
    try await listen()
    for user in reloading { reload(user) }
    reloading = []
    for user in 0..<UnreadModel.users {
      if let difference = toldDifference(user) { return "\(names.user(user)): \(difference)" }
    }
    for user in asking {
      for find in [unreadDifference, channelDifference, threadDifference] {
        if let difference = try await find(user) { return "\(names.user(user)): \(difference)" }
      }
    }
    return nil
  }

  private mutating func reload(_ user: Int) {
    shown[user] = [:]
    for channel in model.channels.indices {
      let name = names.channel(channel)
      shown[user][name] = Shown(channel: name, unread: model.unread(of: channel, by: user))
    }
    for root in model.threads(of: user) {
      let name = names.message(root)
      shown[user][name] = Shown(
        channel: names.channel(model.messages[root].channel), parentID: name,
        unread: model.unread(ofThread: root, by: user))
    }
  }

  private func toldDifference(_ user: Int) -> String? {
    for channel in model.channels.indices {
      let (name, expected) = (names.channel(channel), model.unread(of: channel, by: user))
      let told = shown[user][name]?.unread ?? 0
      if told != expected {
        return "chat.unread said \(told) of \(name) last, where \(expected) are unread"
      }
    }
    let own = model.threads(of: user)
    for root in model.messages.indices where model.messages[root].root == nil {
      let expected = own.contains(root) ? model.unread(ofThread: root, by: user) : 0
      let told = shown[user][names.message(root)]?.unread ?? 0
      if told != expected {
        return
          "chat.thread.unread said \(told) of \(names.message(root)) last, where \(expected) are unread"
      }
    }
    return nil
  }

  private mutating func listen() async throws {
    let published = try await host.published
    for event in published[heard...] {
      guard
        let user = (0..<UnreadModel.users).first(where: { event.channel == "#\(names.user($0))" })
      else { continue }
      switch event.type {
      case "chat.unread", "chat.thread.unread":
        let count = try event.data.decode(Shown.self)
        shown[user][count.parentID ?? count.channel] = count
      case "chat.channel.deleted":
        struct Deleted: Decodable { let channel: String }
        let channel = try event.data.decode(Deleted.self).channel
        shown[user] = shown[user].filter { $0.value.channel != channel }
      default: break
      }
    }
    heard = published.count
  }

  private func get<Value: Decodable>(_ target: String, _ user: Int) async throws -> Value {
    let reply = try await host.request("GET", target, as: .user(names.user(user)))
    guard reply.status == 200 else { throw TestFailure("\(target): \(reply.text)") }
    return try reply.json()
  }

  private func unreadDifference(_ user: Int) async throws -> String? {
    struct Count: Decodable {
      let channel: String
      let unread: Int
      let messageID: String?

      enum CodingKeys: String, CodingKey {
        case channel, unread
        case messageID = "message_id"
      }
    }
    let listed: ListPage<Count> = try await get("/v1/unread?limit=100", user)
    for channel in model.channels.indices {
      let name = names.channel(channel)
      let expected = model.unread(of: channel, by: user)
      let found = listed.data.first { $0.channel == name }
      if (found?.unread ?? 0) != expected {
        return "GET /v1/unread has \(found?.unread ?? 0) of \(name), where \(expected) are unread"
      }
      let mark = model.marked(channel, by: user).map(names.message)
      if let found, !model.hasHeld(channel, by: user), found.messageID != mark {
        return
          "GET /v1/unread has the mark of \(name) at \(found.messageID ?? "none"), where it is at \(mark ?? "none")"
      }
    }
    return nil
  }

  private func channelDifference(_ user: Int) async throws -> String? {
    struct Listed: Decodable {
      struct Membership: Decodable { let unread: Int? }
      let channel: String
      let membership: Membership
    }
    let shown: ListPage<Listed> = try await get("/v1/channels?limit=100", user)
    let isAnyHidden = model.channels.indices.contains { model.isHidden($0, from: user) }
    let hidden: ListPage<Listed> =
      isAnyHidden
      ? try await get("/v1/channels?limit=100&hidden=true", user) : ListPage(data: [], next: nil)
    for channel in model.channels.indices {
      let name = names.channel(channel)
      let isListed = model.isMember(user, of: channel) && !model.channels[channel].isDeleted
      let isHidden = model.isHidden(channel, from: user)
      for (page, isExpected) in [(shown, isListed && !isHidden), (hidden, isListed && isHidden)] {
        let found = page.data.first { $0.channel == name }
        if (found != nil) != isExpected {
          return "GET /v1/channels has \(name) wrongly, where hidden is \(isHidden)"
        }
        if let found, found.membership.unread != model.unread(of: channel, by: user) {
          return
            "GET /v1/channels has \(found.membership.unread ?? -1) of \(name), where \(model.unread(of: channel, by: user)) are unread"
        }
      }
    }
    return nil
  }

  private func threadDifference(_ user: Int) async throws -> String? {
    struct Listed: Decodable {
      struct First: Decodable { let id: String }
      let message: First
      let unread: Int
    }
    let listed: ListPage<Listed> = try await get("/v1/threads?limit=100", user)
    let own = model.threads(of: user)
    guard listed.data.map(\.message.id).sorted() == own.map(names.message).sorted() else {
      return
        "GET /v1/threads has \(listed.data.map(\.message.id)), where \(own.map(names.message)) are his"
    }
    for root in own {
      let (name, expected) = (names.message(root), model.unread(ofThread: root, by: user))
      if let found = listed.data.first(where: { $0.message.id == name }), found.unread != expected {
        return "GET /v1/threads has \(found.unread) of \(name), where \(expected) are unread"
      }
    }
    return nil
  }
}
