internal import PluginKit

/// What a client knows, and asks to have brought up to date.
struct SyncRequest: Decodable {
  /// Up to where the client has seen a channel.
  struct Place: Decodable {
    /// `type:id`, or the channel's name in real time.
    let channel: String
    let offset: UInt64
    let epoch: String
  }

  let userID: String?
  let channels: [Place]?
  /// What ``SyncAnswer/time`` said the time before.
  let since: Timestamp?
  /// The most events.
  let limit: Int?
  let joinedAfter: String?
  let mentionsAfter: String?

  /// The most events of an answer, unless the request says otherwise.
  static let standard = 1_000

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case channels, since, limit
    case joinedAfter = "joined_after"
    case mentionsAfter = "mentions_after"
  }
}

/// What a client missed.
struct SyncAnswer: Encodable {
  /// What the request after the last of this one's pages says as `since`.
  let time: Timestamp
  /// In the order in which they were named.
  let channels: [SyncedChannel]
  /// Whether some of them have more to be told.
  let more: Bool
  /// Channels that the user is a member of and that were not named.
  let joined: Page<JoinedChannel>
  /// Messages that mention the user, in the order in which they came to.
  let mentions: Page<Message>
}

/// What a client missed of a channel that it named.
struct SyncedChannel: Encodable {
  enum State: String, Encodable {
    /// `events` follow each other from where the client was, none is missing and none comes twice.
    case recovered
    /// They are not there any more: the channel is to be read anew, and listened to from here on.
    case lost
    /// There is no such channel, or it is not for this user.
    case gone
  }

  /// As it was named.
  let channel: String
  let state: State
  var events: RawJSON?
  /// Where the client is now; nil of a channel that is gone, as are the others.
  var offset: UInt64?
  var epoch: String?
  /// Whether there are events behind these.
  var more: Bool?
  /// What the user has not read; nil for who is no member, and while there is more.
  var unread: Int?
  var readMessageID: String?
  /// What the channel is to the user; nil for who is no member.
  var membership: Membership?

  private enum CodingKeys: String, CodingKey {
    case channel, state, events, offset, epoch, more, unread
    case readMessageID = "read_message_id"
    case membership
  }
}

/// `POST /v1/sync`: everything that a client missed, in one answer or a few.
extension ChatShard {
  /// How many clients of a loop are told at once what they missed; when all come back together the others wait.
  static let syncs = 8
  /// How long it may take at most until what has been noted at a time is on disk, in milliseconds; what came in that time is told twice rather
  /// than never, where it is no event.
  static let margin: Int64 = 120_000

  func sync(_ request: Request) async throws -> Response {
    let wanted: SyncRequest = try request.decode()
    let user = try AppActor(request.principal).acting(as: wanted.userID, pointer: "/user_id")
    let named = try places(wanted.channels ?? [])
    await turns.take()
    defer { turns.pass() }
    let now = try context.clock.now()
    let standing = try await standing(of: user, in: named.compactMap(\.known))
    var room = MissedEvents.Room(events: wanted.limit ?? SyncRequest.standard)
    var channels: [SyncedChannel] = []
    for place in named {
      guard let known = place.known, standing.isReadable(known.address) else {
        channels.append(SyncedChannel(channel: place.name, state: .gone))
        continue
      }
      var channel = try await missed(of: known.address, place, &room)
      channel.membership = standing.memberships["\(known.address)"]
      channels.append(channel)
    }
    try await countUnread(&channels, named, of: user)
    return try .json(
      SyncAnswer(
        time: now, channels: channels, more: channels.contains { $0.more == true },
        joined: try await joined(by: user, but: named.compactMap(\.known), wanted),
        mentions: try await mentions(of: user, wanted)))
  }

  /// A channel that a client names, and where it was.
  struct NamedPlace {
    /// As it was named.
    let name: String
    /// nil where there can be no such channel.
    let known: (address: ChannelAddress, type: ChannelType)?
    let offset: UInt64
    let epoch: String
  }

  /// - Throws: `Problem` 400 where a channel is named twice.
  private func places(_ named: [SyncRequest.Place]) throws -> [NamedPlace] {
    var seen: Set<ChannelAddress> = []
    return try named.enumerated().map { index, place in
      let known = try? channel(place.channel)
      if let known, !seen.insert(known.0).inserted {
        throw Problem.invalid(
          pointer: "/channels/\(index)/channel", "\(known.0) is named twice.")
      }
      return NamedPlace(
        name: place.channel, known: known.map { (address: $0.0, type: $0.1) },
        offset: place.offset, epoch: place.epoch)
    }
  }

  /// What happened in a channel behind a place, as far as there is room for it.
  private func missed(
    of address: ChannelAddress, _ place: NamedPlace, _ room: inout MissedEvents.Room
  ) async throws -> SyncedChannel {
    var missed = MissedEvents(of: address, after: place.offset, epoch: place.epoch)
    while !missed.isDone, !room.isUsedUp {
      missed.add(
        try await context.bus.history(
          address.realTimeName, since: missed.through, limit: room.page), &room)
    }
    return SyncedChannel(
      channel: place.name, state: missed.isLost ? .lost : .recovered, events: missed.json,
      offset: missed.isLost ? missed.top : missed.through, epoch: missed.epoch,
      more: !missed.isDone)
  }

  /// Says of those channels that are told to their end how much the user has not read.
  private func countUnread(
    _ channels: inout [SyncedChannel], _ named: [NamedPlace], of user: String
  ) async throws {
    var done: [ChannelAddress] = []
    for (channel, place) in zip(channels, named)
    where channel.membership != nil && channel.more == false {
      if let known = place.known { done.append(known.address) }
    }
    let unread = try await unread(by: user, in: done)
    for index in channels.indices where channels[index].membership != nil {
      guard let known = named[index].known, let count = unread["\(known.address)"] else { continue }
      channels[index].unread = count.unread
      channels[index].readMessageID = count.messageID
    }
  }
}
