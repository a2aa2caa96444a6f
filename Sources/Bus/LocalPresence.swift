internal import Synchronization

/// Who is in which channel of a gateway that is alone; the same for all its loops.
///
/// Members belong to an owner, which holds a lease: as long as it renews, they are there. An owner whose lease lapses
/// has none; one that renews after that has them back. Nothing here is durable, so a crash leaves nobody behind.
public final class LocalPresence: Sendable {
  /// The most members that one tenant has, over all its channels.
  public static let memberLimit = 1_000_000
  /// How long an owner is believed to be alive, in milliseconds.
  public static let leaseMilliseconds: Int64 = 30_000

  /// Tells of a member that came or went and is announced. Called on the thread that changed it, without a lock held.
  public typealias Announcer =
    @Sendable (_ key: ChannelKey, _ member: PresenceMember, _ hasJoined: Bool) -> Void

  /// What became of a `join`.
  public enum Outcome: Sendable, Equatable {
    case joined
    /// The channel has a member of that name.
    case taken
    /// The tenant has ``memberLimit`` members, or the owner is gone.
    case refused
  }

  private let tables = Mutex(PresenceTables())
  private let announcer: Announcer

  /// - Parameter announcer: hears of members that are announced.
  public init(announcer: @escaping Announcer) { self.announcer = announcer }

  /// A new owner of members of one tenant, with a lease from `now` on. [any-thread]
  public func open(tenant: String, now: Int64) -> UInt64 {
    tables.withLock { $0.open(tenant, until: now + Self.leaseMilliseconds) }
  }

  /// Renews an owner's lease; members that had been taken for dead are there again. [any-thread]
  public func renew(_ owner: UInt64, now: Int64) {
    announce(
      tables.withLock { $0.renew(owner, until: now + Self.leaseMilliseconds) }, hasJoined: true)
  }

  /// Ends an owner and takes its members out. [any-thread]
  public func close(_ owner: UInt64) {
    announce(tables.withLock { $0.close(owner) }, hasJoined: false)
  }

  /// Takes out the members of owners whose lease has lapsed. [any-thread, now and then]
  public func sweep(now: Int64) {
    announce(tables.withLock { $0.lapse(before: now) }, hasJoined: false)
  }

  /// Brings a member in. [any-thread]
  public func join(_ member: PresenceMember, of owner: UInt64, in channel: String) -> Outcome {
    let (outcome, key) = tables.withLock {
      $0.join(member, of: owner, in: channel, limit: Self.memberLimit)
    }
    if let key { announce([(key, member)], hasJoined: true) }
    return outcome
  }

  /// Lets a member go; false if the owner has none of that name in the channel. [any-thread]
  public func leave(_ client: String, of owner: UInt64, in channel: String) -> Bool {
    guard let found = tables.withLock({ $0.leave(client, of: owner, in: channel) }) else {
      return false
    }
    announce([found], hasJoined: false)
    return true
  }

  /// Members in the order of their clients' names, those above `after`. [any-thread]
  public func members(of key: ChannelKey, after: String?, limit: Int) -> [PresenceMember] {
    let members = tables.withLock { $0.members(of: key, after: after) }
    return Array(members.sorted { $0.client < $1.client }.prefix(limit))
  }

  /// How many clients, and how many users behind them. [any-thread]
  public func stats(of key: ChannelKey) -> (clients: Int, users: Int) {
    tables.withLock { $0.stats(of: key) }
  }

  /// All members of all tenants. [any-thread]
  public var count: Int { tables.withLock { $0.count } }

  private func announce(_ changes: [(ChannelKey, PresenceMember)], hasJoined: Bool) {
    for (key, member) in changes where member.isAnnounced { announcer(key, member, hasJoined) }
  }
}

/// A client that is in a channel. Immutable.
public struct PresenceMember: Sendable, Equatable {
  /// What it is called among the channel's members.
  public let client: String
  /// Who it is.
  public let user: String
  /// What else is said of it, at most 4 KiB.
  public let info: [UInt8]
  /// Unix milliseconds.
  public let joinedAt: Int64
  /// Whether the channel's subscribers are told of it.
  public let isAnnounced: Bool

  /// - Parameters: as the properties.
  public init(client: String, user: String, info: [UInt8], joinedAt: Int64, isAnnounced: Bool) {
    self.client = client
    self.user = user
    self.info = info
    self.joinedAt = joinedAt
    self.isAnnounced = isAnnounced
  }
}
