/// The members of all tenants, by channel, and the owners whose leases keep them. A pure value.
struct PresenceTables {
  typealias Change = (ChannelKey, PresenceMember)

  private struct Channel {
    var members: [String: (owner: UInt64, member: PresenceMember)] = [:]
    /// How many clients each user has.
    var users: [String: Int] = [:]
  }

  private struct Tenant {
    var channels: [ChannelKey: Channel] = [:]
    var count = 0
    var owners = 0
  }

  private struct Owner {
    let tenant: String
    var deadline: Int64
    /// The members of an owner whose lease has lapsed.
    var hidden: [(channel: String, member: PresenceMember)] = []
    var hasLapsed = false
  }

  private var tenants: [String: Tenant] = [:]
  private var owners: [UInt64: Owner] = [:]
  private var lastOwner: UInt64 = 0
  /// Members that are there.
  private(set) var count = 0

  mutating func open(_ tenant: String, until deadline: Int64) -> UInt64 {
    lastOwner += 1
    owners[lastOwner] = Owner(tenant: tenant, deadline: deadline)
    tenants[tenant, default: Tenant()].owners += 1
    return lastOwner
  }

  mutating func renew(_ number: UInt64, until deadline: Int64) -> [Change] {
    guard var owner = owners[number] else { return [] }
    owner.deadline = deadline
    let hidden = owner.hidden
    owner.hidden = []
    owner.hasLapsed = false
    owners[number] = owner
    return hidden.compactMap { channel, member in
      insert(member, number, owner.tenant, channel) ? (key(owner.tenant, channel), member) : nil
    }
  }

  mutating func close(_ number: UInt64) -> [Change] {
    guard let owner = owners.removeValue(forKey: number) else { return [] }
    let gone = takeOut(number, owner.tenant)
    tenants[owner.tenant]?.owners -= 1
    if tenants[owner.tenant]?.owners == 0 { tenants[owner.tenant] = nil }
    return gone.map { (key(owner.tenant, $0.channel), $0.member) }
  }

  mutating func lapse(before now: Int64) -> [Change] {
    var changes: [Change] = []
    for (number, owner) in owners where !owner.hasLapsed && owner.deadline <= now {
      let gone = takeOut(number, owner.tenant)
      owners[number]?.hidden = gone
      owners[number]?.hasLapsed = true
      changes += gone.map { (key(owner.tenant, $0.channel), $0.member) }
    }
    return changes
  }

  mutating func join(
    _ member: PresenceMember, of number: UInt64, in channel: String, limit: Int
  ) -> (LocalPresence.Outcome, ChannelKey?) {
    guard let owner = owners[number], let tenant = tenants[owner.tenant],
      tenant.count + owner.hidden.count < limit
    else { return (.refused, nil) }
    if owner.hasLapsed {
      guard
        !owner.hidden.contains(where: { $0.channel == channel && $0.member.client == member.client }
        )
      else { return (.taken, nil) }
      owners[number]?.hidden.append((channel, member))
      return (.joined, nil)
    }
    guard insert(member, number, owner.tenant, channel) else { return (.taken, nil) }
    return (.joined, key(owner.tenant, channel))
  }

  /// The member that left, if the owner had it.
  mutating func leave(_ client: String, of number: UInt64, in channel: String) -> Change? {
    guard let owner = owners[number] else { return nil }
    if let place = owner.hidden.firstIndex(where: {
      $0.channel == channel && $0.member.client == client
    }) {
      owners[number]?.hidden.remove(at: place)
      return nil
    }
    guard let found = tenants[owner.tenant]?.channels[key(owner.tenant, channel)]?.members[client],
      found.owner == number
    else { return nil }
    remove(client, owner.tenant, channel)
    return (key(owner.tenant, channel), found.member)
  }

  func members(of key: ChannelKey, after: String?) -> [PresenceMember] {
    guard let channel = tenants[key.tenant]?.channels[key] else { return [] }
    guard let after else { return channel.members.values.map(\.member) }
    return channel.members.values.lazy.map(\.member).filter { $0.client > after }
  }

  func stats(of key: ChannelKey) -> (clients: Int, users: Int) {
    guard let channel = tenants[key.tenant]?.channels[key] else { return (0, 0) }
    return (channel.members.count, channel.users.count)
  }

  private func key(_ tenant: String, _ channel: String) -> ChannelKey {
    ChannelKey(tenant: tenant, channel: channel)
  }

  private mutating func insert(
    _ member: PresenceMember, _ owner: UInt64, _ tenant: String, _ channel: String
  ) -> Bool {
    let key = key(tenant, channel)
    guard tenants[tenant]?.channels[key]?.members[member.client] == nil else { return false }
    tenants[tenant]?.channels[key, default: Channel()].members[member.client] = (owner, member)
    tenants[tenant]?.channels[key]?.users[member.user, default: 0] += 1
    tenants[tenant]?.count += 1
    count += 1
    return true
  }

  private mutating func remove(_ client: String, _ tenant: String, _ channel: String) {
    let key = key(tenant, channel)
    guard let gone = tenants[tenant]?.channels[key]?.members.removeValue(forKey: client) else {
      return
    }
    let left = (tenants[tenant]?.channels[key]?.users[gone.member.user] ?? 1) - 1
    tenants[tenant]?.channels[key]?.users[gone.member.user] = left == 0 ? nil : left
    if tenants[tenant]?.channels[key]?.members.isEmpty == true {
      tenants[tenant]?.channels[key] = nil
    }
    tenants[tenant]?.count -= 1
    count -= 1
  }

  /// Takes an owner's members out, in the order of channels and clients.
  private mutating func takeOut(
    _ number: UInt64, _ tenant: String
  ) -> [(channel: String, member: PresenceMember)] {
    var gone: [(channel: String, member: PresenceMember)] = []
    for (key, channel) in tenants[tenant]?.channels ?? [:] {
      for entry in channel.members.values where entry.owner == number {
        gone.append((key.channel, entry.member))
      }
    }
    gone.sort { ($0.channel, $0.member.client) < ($1.channel, $1.member.client) }
    for entry in gone { remove(entry.member.client, tenant, entry.channel) }
    return gone
  }
}
