import Bus
import Synchronization
import Testing

/// What has been announced: "+client" and "-client", with the channel behind it.
private final class Announcements: Sendable {
  private let list = Mutex<[String]>([])

  var all: [String] { list.withLock { $0 } }

  func presence() -> LocalPresence {
    LocalPresence { [self] key, member, hasJoined in
      list.withLock {
        $0.append("\(hasJoined ? "+" : "-")\(member.client) \(key.tenant)/\(key.channel)")
      }
    }
  }
}

private func member(
  _ client: String, user: String = "alice", isAnnounced: Bool = true
) -> PresenceMember {
  PresenceMember(
    client: client, user: user, info: Array("{}".utf8), joinedAt: 7, isAnnounced: isAnnounced)
}

@Suite struct `The local presence` {
  private let announcements = Announcements()

  @Test func `counts clients and the users behind them`() {
    let presence = announcements.presence()
    let (one, two) = (presence.open(tenant: "app", now: 0), presence.open(tenant: "app", now: 0))
    #expect(presence.join(member("a"), of: one, in: "room") == .joined)
    #expect(presence.join(member("b"), of: two, in: "room") == .joined)
    #expect(presence.join(member("c", user: "bob"), of: two, in: "room") == .joined)
    #expect(presence.stats(of: key("room")) == (3, 2))
    #expect(presence.leave("b", of: two, in: "room"))
    #expect(presence.stats(of: key("room")) == (2, 2))
    #expect(presence.leave("a", of: one, in: "room"))
    #expect(presence.stats(of: key("room")) == (1, 1))
    #expect(presence.count == 1)
  }

  @Test func `keeps channels apart whose names spell one character in two ways`() {
    let presence = announcements.presence()
    let owner = presence.open(tenant: "app", now: 0)
    #expect(presence.join(member("a"), of: owner, in: "#\u{E9}") == .joined)
    #expect(presence.stats(of: key("#e\u{301}")) == (0, 0))
    #expect(presence.members(of: key("#e\u{301}"), after: nil, limit: 9) == [])
    #expect(!presence.leave("a", of: owner, in: "#e\u{301}"))
    #expect(presence.stats(of: key("#\u{E9}")) == (1, 1))
  }

  @Test func `has a name once in a channel, and only its owner lets it go`() {
    let presence = announcements.presence()
    let (one, two) = (presence.open(tenant: "app", now: 0), presence.open(tenant: "app", now: 0))
    #expect(presence.join(member("a"), of: one, in: "room") == .joined)
    #expect(presence.join(member("a"), of: two, in: "room") == .taken)
    #expect(!presence.leave("a", of: two, in: "room"))
    #expect(!presence.leave("a", of: one, in: "elsewhere"))
    #expect(presence.leave("a", of: one, in: "room"))
    #expect(!presence.leave("a", of: one, in: "room"))
    #expect(announcements.all == ["+a app/room", "-a app/room"])
  }

  @Test func `lists in pages, in the order of names`() {
    let presence = announcements.presence()
    let owner = presence.open(tenant: "app", now: 0)
    for name in ["d", "b", "a", "c"] {
      #expect(presence.join(member(name), of: owner, in: "room") == .joined)
    }
    let first = presence.members(of: key("room"), after: nil, limit: 3)
    #expect(first.map(\.client) == ["a", "b", "c"])
    #expect(first[0] == member("a"))
    #expect(presence.members(of: key("room"), after: "c", limit: 3).map(\.client) == ["d"])
    #expect(presence.members(of: key("other"), after: nil, limit: 3) == [])
  }

  @Test func `keeps tenants apart that have channels of one name`() {
    let presence = announcements.presence()
    let (one, two) = (presence.open(tenant: "one", now: 0), presence.open(tenant: "two", now: 0))
    #expect(presence.join(member("a"), of: one, in: "room") == .joined)
    #expect(presence.join(member("a"), of: two, in: "room") == .joined)
    #expect(presence.stats(of: key("room", of: "one")) == (1, 1))
    presence.close(one)
    #expect(presence.stats(of: key("room", of: "one")) == (0, 0))
    #expect(presence.stats(of: key("room", of: "two")) == (1, 1))
  }

  @Test func `takes an owner's members out when it ends, and says so`() {
    let presence = announcements.presence()
    let owner = presence.open(tenant: "app", now: 0)
    _ = presence.join(member("b"), of: owner, in: "room")
    _ = presence.join(member("a"), of: owner, in: "room")
    _ = presence.join(member("quiet", isAnnounced: false), of: owner, in: "room")
    presence.close(owner)
    #expect(
      announcements.all == ["+b app/room", "+a app/room", "-a app/room", "-b app/room"])
    #expect(presence.count == 0)
    #expect(presence.join(member("a"), of: owner, in: "room") == .refused)
  }

  @Test func `takes an owner for dead that does not renew, and has its members back when it does`()
  {
    let presence = announcements.presence()
    let lease = LocalPresence.leaseMilliseconds
    let (still, alive) = (
      presence.open(tenant: "app", now: 0), presence.open(tenant: "app", now: 0)
    )
    _ = presence.join(member("a"), of: still, in: "room")
    _ = presence.join(member("b"), of: alive, in: "room")
    presence.renew(alive, now: lease - 1)
    presence.sweep(now: lease)
    presence.sweep(now: lease)
    #expect(presence.members(of: key("room"), after: nil, limit: 9).map(\.client) == ["b"])
    // What it does meanwhile counts when it is back.
    #expect(presence.join(member("c"), of: still, in: "room") == .joined)
    #expect(presence.stats(of: key("room")) == (1, 1))
    presence.renew(still, now: lease)
    #expect(
      presence.members(of: key("room"), after: nil, limit: 9).map(\.client) == ["a", "b", "c"])
    #expect(
      announcements.all
        == ["+a app/room", "+b app/room", "-a app/room", "+a app/room", "+c app/room"])
  }
}
