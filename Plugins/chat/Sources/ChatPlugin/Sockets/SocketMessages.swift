internal import PluginKit

/// What clients say over sockets: the actions of the routes, with the same checks and answers.
extension ChatShard {
  static func registerMessages(_ on: inout Registry<ChatShard>) {
    on.message("send") { (shard, message) async throws in
      let named: InChannel = try message.decode()
      let (address, type) = try shard.channel(named.channel)
      return try await shard.send(
        try message.decode(), to: address, type, for: AppActor(message.principal))
    }
    on.message("edit") { (shard, message) async throws in
      let named: OfMessage = try message.decode()
      return try await shard.edit(
        named.messageID, try message.decode(), for: AppActor(message.principal))
    }
    on.message("delete") { (shard, message) async throws in
      let named: OfMessage = try message.decode()
      return try await shard.delete(
        named.messageID, as: nil, at: "", for: AppActor(message.principal))
    }
    on.message("react") { (shard, message) async throws in
      let reacting: Reacting = try message.decode()
      return try await shard.react(
        to: reacting.messageID, with: reacting.reaction, at: "/reaction",
        exclusively: reacting.exclusive ?? false, as: nil, for: AppActor(message.principal))
    }
    on.message("unreact") { (shard, message) async throws in
      let reacting: Reacting = try message.decode()
      try await shard.unreact(
        to: reacting.messageID, with: reacting.reaction, as: nil, at: "",
        for: AppActor(message.principal))
      return Nothing()
    }
    on.message("read") { (shard, message) async throws in
      let named: InChannel = try message.decode()
      let (address, type) = try shard.channel(named.channel)
      return try await shard.read(
        try message.decode(), in: address, type, for: AppActor(message.principal))
    }
    on.message("vote") { (shard, message) async throws in
      let named: OfMessage = try message.decode()
      let voting: Voting = try message.decode()
      return try await shard.vote(
        for: voting.optionIDs, at: named.messageID, as: nil, pointer: "",
        AppActor(message.principal))
    }
    on.message("read_thread") { (shard, message) async throws in
      let named: InThread = try message.decode()
      return try await shard.readThread(
        of: named.parentID, to: try message.decode(), for: AppActor(message.principal))
    }
    on.message("typing") { (shard, message) async throws in
      let named: InChannel = try message.decode()
      let (address, type) = try shard.channel(named.channel)
      try await shard.announce(
        named.active ?? true, as: nil, in: address, type, for: AppActor(message.principal))
      return Nothing()
    }
  }

  private struct InChannel: Decodable {
    let channel: String
    let active: Bool?
  }

  private struct OfMessage: Decodable {
    let messageID: String

    private enum CodingKeys: String, CodingKey { case messageID = "message_id" }
  }

  private struct InThread: Decodable {
    let parentID: String

    private enum CodingKeys: String, CodingKey { case parentID = "parent_id" }
  }

  private struct Reacting: Decodable {
    let messageID: String
    let reaction: String
    let exclusive: Bool?

    private enum CodingKeys: String, CodingKey {
      case messageID = "message_id"
      case reaction, exclusive
    }
  }

  private struct Nothing: Encodable {}

  /// A channel by the name that messages have (`type:id`), or the one by which it is listened to.
  ///
  /// - Parameter pointer: where it is named.
  func channel(
    _ name: String, at pointer: String = "/channel"
  ) throws -> (ChannelAddress, ChannelType) {
    let prefix = "\(ChannelAddress.namespace):"
    let parts = (name.hasPrefix(prefix) ? name.dropFirst(prefix.count) : name[...])
      .split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2,
      let address = ChannelAddress(type: String(parts[0]), id: String(parts[1]))
    else {
      throw Problem.invalid(
        pointer: pointer, "A channel is called {type}:{id}; an id is \(Identifier.words).")
    }
    return (address, try types[address.type])
  }
}
