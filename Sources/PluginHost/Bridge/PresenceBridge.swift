internal import Bus
internal import CSluice
internal import Gateway
internal import Store
internal import Wire

/// `sluice.presence/1` (ext/presence.h).
enum PresenceBridge {
  static let infoBytes = 4096
  static let joined = "sluice.presence.joined"
  static let left = "sluice.presence.left"

  static let table = PermanentTable(
    sluice_presence_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_presence_v1_t>.size), reserved: 0,
      join: { host, channel, client, user, info, flags in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name), isName(client), isName(user),
          info.length <= UInt64(infoBytes), flags <= SLUICE_PRESENCE_ANNOUNCE
        else { return SLUICE_E_INVALID }
        let now = Int64(shard.eventLoop.unixMilliseconds)
        let member = PresenceMember(
          client: String(client), user: String(user), info: Array(info.raw), joinedAt: now,
          isAnnounced: flags & SLUICE_PRESENCE_ANNOUNCE != 0)
        guard let owner = shard.presenceOwner(at: now) else { return SLUICE_E_WRONG_STATE }
        switch shard.loop.host.presence.join(member, of: owner, in: name) {
        case .joined: return SLUICE_OK
        case .taken: return SLUICE_E_CONFLICT
        case .refused: return SLUICE_E_OVERLOADED
        }
      },
      leave: { host, channel, client in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let owner = shard.presence,
          shard.loop.host.presence.leave(String(client), of: owner, in: String(channel))
        else { return SLUICE_E_NOT_FOUND }
        return SLUICE_OK
      },
      list: { host, channel, after, limit, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name), (1...1000).contains(limit) else { return SLUICE_E_INVALID }
        let members = shard.loop.host.presence.members(
          of: ChannelKey(tenant: shard.tenant, channel: name),
          after: after.bytes == nil ? nil : String(after), limit: Int(limit))
        let writer = RowBlockWriter()
        writer.begin()
        writer.beginStatement(columns: ["client", "user", "info", "joined_ms"])
        for member in members {
          writer.beginRow()
          writer.append(.text(member.client))
          writer.append(.text(member.user))
          member.info.withUnsafeBytes { writer.append(text: $0) }
          writer.append(.integer(member.joinedAt))
        }
        writer.endStatement(rowsChanged: 0)
        shard.keepLater(shard.promise(completion, context), SLUICE_OK, writer.finish().bytes)
        return SLUICE_PENDING
      },
      stats: { host, channel, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let name = String(channel)
        guard ChannelName.isValid(name) else { return SLUICE_E_INVALID }
        let stats = shard.loop.host.presence.stats(
          of: ChannelKey(tenant: shard.tenant, channel: name))
        let writer = RowBlockWriter()
        writer.begin()
        writer.beginStatement(columns: ["clients", "users"])
        writer.beginRow()
        writer.append(.integer(Int64(stats.clients)))
        writer.append(.integer(Int64(stats.users)))
        writer.endStatement(rowsChanged: 0)
        shard.keepLater(shard.promise(completion, context), SLUICE_OK, writer.finish().bytes)
        return SLUICE_PENDING
      }))

  private static func isName(_ text: sluice_slice_t) -> Bool {
    (1...255).contains(text.length) && UTF8Validator.isValid(text.raw)
  }
}
