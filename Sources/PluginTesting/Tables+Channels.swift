internal import CSluice
internal import PluginKit

// history and presence

let historyTable = Constant {
  sluice_history_v1_t(
    struct_size: $0, reserved: 0,
    keep: { host, name, size, seconds in
      let world = TestWorld.of(host)
      guard world.control.isCurrent else {
        world.shared.violate("sluice.history/1 keep was called off the control thread")
        return SLUICE_E_WRONG_THREAD
      }
      guard size <= 1_000_000, seconds <= 315_360_000, name.length <= 64 else {
        return SLUICE_E_INVALID
      }
      world.shared.keep(name.text, TestBounds(size: Int(size), seconds: Int(seconds)))
      return SLUICE_OK
    },
    read: { host, channel, since, limit, flags, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.history/1 read") else { return SLUICE_E_WRONG_THREAD }
      guard limit <= 1_000, flags <= SLUICE_HISTORY_REVERSE else { return SLUICE_E_INVALID }
      return world.tracking { done in
        world.store.history(
          channel.text, since: since, limit: limit, isReversed: flags == SLUICE_HISTORY_REVERSE
        ) { status, bytes in
          done { world.complete(completion, context, status, bytes) }
        }
      }
    })
}

let presenceTable = Constant {
  sluice_presence_v1_t(
    struct_size: $0, reserved: 0,
    join: { host, channel, client, user, info, flags in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.presence/1 join") else { return SLUICE_E_WRONG_THREAD }
      let (channel, client) = (channel.text, client.text)
      guard TestWorld.isChannel(channel), (1...255).contains(client.utf8.count),
        (1...255).contains(user.length), info.length <= 4_096
      else { return SLUICE_E_INVALID }
      guard world.members[channel]?[client] == nil else { return SLUICE_E_CONFLICT }
      let member = TestMember(
        user: user.text, info: info.array, joinedAt: world.shared.now,
        isAnnounced: flags & SLUICE_PRESENCE_ANNOUNCE != 0)
      world.members[channel, default: [:]][client] = member
      world.announce(member, "\(Presence.joined)", in: channel)
      return SLUICE_OK
    },
    leave: { host, channel, client in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.presence/1 leave") else { return SLUICE_E_WRONG_THREAD }
      let channel = channel.text
      guard let member = world.members[channel]?.removeValue(forKey: client.text) else {
        return SLUICE_E_NOT_FOUND
      }
      if world.members[channel]?.isEmpty == true { world.members[channel] = nil }
      world.announce(member, "\(Presence.left)", in: channel)
      return SLUICE_OK
    },
    list: { host, channel, after, limit, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.presence/1 list") else { return SLUICE_E_WRONG_THREAD }
      guard (1...1_000).contains(limit) else { return SLUICE_E_INVALID }
      let after = after.bytes == nil ? nil : after.text
      let members = (world.members[channel.text] ?? [:]).sorted { $0.key < $1.key }
        .filter { member in after.map { member.key > $0 } ?? true }.prefix(Int(limit))
      world.complete(
        completion, context, SLUICE_OK,
        TestStore.block(
          ["client", "user", "info", "joined_ms"],
          members.map {
            [
              .text($0.key), .text($0.value.user),
              .text(String(decoding: $0.value.info, as: UTF8.self)), .integer($0.value.joinedAt),
            ]
          }))
      return SLUICE_PENDING
    },
    stats: { host, channel, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.presence/1 stats") else { return SLUICE_E_WRONG_THREAD }
      let members = (world.members[channel.text] ?? [:]).values
      world.complete(
        completion, context, SLUICE_OK,
        TestStore.block(
          ["clients", "users"],
          [[.integer(Int64(members.count)), .integer(Int64(Set(members.map(\.user)).count))]]))
      return SLUICE_PENDING
    })
}

/// A client that is in a channel.
struct TestMember {
  let user: String
  let info: [UInt8]
  let joinedAt: Int64
  let isAnnounced: Bool
}

/// How much the channels of a namespace keep.
struct TestBounds: Sendable {
  let size: Int
  let seconds: Int
}

extension TestWorld {
  /// Tells the channel's subscribers of a member. Loop thread.
  fileprivate func announce(_ member: TestMember, _ type: String, in channel: String) {
    guard member.isAnnounced else { return }
    let publication = TestPublication(
      sequence: 0, offset: 0, time: shared.now, type: type, id: eventID(), channel: channel,
      epoch: nil, data: RawJSON(unchecked: member.info))
    later { self.deliver(publication) }
  }
}
