import PluginKit
import Testing

@testable import RealtimePlugin

/// A conversation that a test asks in passing.
private final class Asked {
  var conversation = Conversation<Int>()
  let limit: Int

  init(limit: Int = 3, isConnected: Bool = false) {
    self.limit = limit
    guard isConnected else { return }
    _ = take(1, connect)
    _ = conversation.connect()
  }

  func take(_ id: UInt32, _ request: Command.Request) -> Conversation<Int>.Action {
    conversation.take(Command(id: id, request: request), channelLimit: limit)
  }

  func subscribe(_ channel: String?) -> Conversation<Int>.Action {
    take(2, .subscribe(SubscribeRequest(channel: channel)))
  }

  /// The command has been answered; what comes of those that have waited for it.
  func finish(_ id: UInt32, _ request: Command.Request) -> [UInt32] {
    conversation.finish(Command(id: id, request: request))
    var next: [UInt32] = []
    while let channel = request.channel,
      let (command, _) = conversation.next(in: channel, channelLimit: limit)
    {
      next.append(command.id)
    }
    return next
  }

  func subscribed(_ channel: String) -> [UInt32] {
    finish(2, .subscribe(SubscribeRequest(channel: channel)))
  }

  func connects() -> Bool { conversation.connect() }
  func pings() -> Bool { conversation.ping() }
  func leave(_ channel: String) -> Conversation<Int>.Seat? { conversation.leave(channel) }
  func end() -> [Conversation<Int>.Seat] { conversation.end() }
  func renew(_ channel: String, until second: UInt32) -> Bool {
    conversation.renew(channel, until: second)
  }

  func place(_ place: Int, at serial: UInt32, until second: UInt32 = 0) -> Bool {
    conversation.take(serial) {
      $0.place = place
      $0.expiresAt = second
    }
  }
}

private let connect = Command.Request.connect(
  ConnectRequest(token: nil, data: nil, subs: nil, name: nil, version: nil))

@Suite struct `A conversation` {
  @Test func `begins with connect, once`() {
    let asked = Asked()
    #expect(asked.take(1, .ping) == .close(.badRequest))
    #expect(asked.take(0, connect) == .close(.badRequest))
    guard case .connect = asked.take(1, connect) else {
      Issue.record("not connecting")
      return
    }
    #expect(asked.take(2, .ping) == .close(.badRequest))
    #expect(asked.connects())
    #expect(asked.take(2, .ping) == .pong)
    #expect(asked.take(3, connect) == .close(.badRequest))
  }

  @Test func `may say connect again when it was refused`() {
    let asked = Asked()
    _ = asked.take(1, connect)
    asked.conversation.reject()
    #expect(asked.conversation.phase == .fresh)
  }

  @Test func `has one seat in a channel, and no more than it may`() throws {
    let asked = Asked(limit: 2, isConnected: true)
    let name = try ChannelName("a")
    #expect(
      asked.subscribe("a") == .subscribe(name, SubscribeRequest(channel: "a"), serial: 1))
    #expect(asked.subscribed("a") == [])
    #expect(asked.subscribe("a") == .refuse(.alreadySubscribed))
    #expect(asked.subscribe("@a") == .refuse(.badRequest))
    #expect(asked.subscribe(nil) == .close(.badRequest))
    #expect(asked.subscribe("") == .close(.badRequest))
    _ = asked.subscribe("b")
    #expect(asked.subscribe("c") == .refuse(.limitExceeded))
  }

  @Test func `keeps a seat until it is taken or given up`() {
    let asked = Asked(isConnected: true)
    _ = asked.subscribe("a")
    #expect(!asked.conversation.isSubscribed(to: "a"))
    #expect(asked.leave("a")?.serial == 1)
    // The answer comes too late: the client has been sent away, and has come again.
    #expect(asked.subscribed("a") == [])
    _ = asked.subscribe("a")
    #expect(!asked.place(7, at: 1))
    #expect(asked.place(8, at: 2))
    #expect(asked.conversation.isSubscribed(to: "a"))
    #expect(asked.end().map(\.place) == [8])
    #expect(!asked.place(9, at: 2))
    #expect(asked.subscribe("a") == .nothing)
  }

  @Test func `has a bounded number of commands under way`() {
    let asked = Asked(isConnected: true)
    let publish = Command.Request.publish(channel: "a", data: "1")
    for _ in 0..<Conversation<Int>.commandLimit {
      #expect(asked.take(2, publish) == .work(publish))
    }
    #expect(asked.take(2, publish) == .refuse(.tooManyRequests))
    #expect(asked.subscribe("a") == .refuse(.tooManyRequests))
    // What has no answer is not refused but dropped.
    #expect(asked.take(0, .send("1")) == .drop)
    #expect(asked.finish(2, publish) == [])
    #expect(asked.take(0, .send("1")) == .work(.send("1")))
    #expect(asked.finish(0, .send("1")) == [])
    #expect(asked.take(2, publish) == .work(publish))
  }

  @Test func `has what a subscription decides wait for it, in order`() {
    let asked = Asked(isConnected: true)
    let publish = Command.Request.publish(channel: "a", data: "1")
    let leave = Command.Request.unsubscribe(channel: "a")
    _ = asked.subscribe("a")
    for id in UInt32(3)...4 { #expect(asked.take(id, publish) == .nothing) }
    #expect(asked.take(5, leave) == .nothing)
    #expect(asked.take(6, publish) == .nothing)
    // Other channels do not wait, nor does what is about none.
    #expect(asked.take(7, .presence(channel: "b")) == .work(.presence(channel: "b")))
    #expect(asked.take(8, .ping) == .pong)
    // Both of them go at once, and the client leaves when both are done.
    #expect(asked.subscribed("a") == [3, 4])
    #expect(asked.finish(3, publish) == [])
    #expect(asked.finish(4, publish) == [5, 6])
    #expect(asked.finish(6, publish) == [])
    #expect(asked.take(9, leave) == .unsubscribe(channel: "a"))
  }

  @Test func `has no more commands wait than may be under way`() {
    let asked = Asked(isConnected: true)
    _ = asked.subscribe("a")
    let leave = Command.Request.unsubscribe(channel: "a")
    for _ in 1..<Conversation<Int>.commandLimit { #expect(asked.take(3, leave) == .nothing) }
    #expect(asked.take(4, leave) == .refuse(.tooManyRequests))
    #expect(asked.take(4, .presence(channel: "b")) == .refuse(.tooManyRequests))
    #expect(asked.subscribed("a").count == Conversation<Int>.commandLimit - 1)
    #expect(asked.take(4, .presence(channel: "b")) == .work(.presence(channel: "b")))
  }

  @Test func `forgets what waits when it ends`() {
    let asked = Asked(isConnected: true)
    _ = asked.subscribe("a")
    _ = asked.take(3, .presence(channel: "a"))
    _ = asked.end()
    #expect(asked.subscribed("a") == [])
  }

  @Test func `must answer a ping, and say connect in time`() {
    let fresh = Asked()
    #expect(fresh.conversation.overdue() == .stale)
    #expect(!fresh.pings())
    let asked = Asked(isConnected: true)
    #expect(asked.conversation.overdue() == nil)
    #expect(asked.pings())
    #expect(asked.conversation.overdue() == .noPong)
    #expect(asked.take(0, .pong) == .nothing)
    #expect(asked.conversation.overdue() == nil)
  }

  @Test func `knows which of its tokens have run out`() {
    let asked = Asked(isConnected: true)
    _ = asked.subscribe("a")
    #expect(asked.place(1, at: 1, until: 50))
    #expect(asked.conversation.expired(at: 49).seats.isEmpty)
    #expect(asked.conversation.expired(at: 50).seats.map(\.channel) == ["a"])
    #expect(asked.renew("a", until: 60))
    #expect(!asked.renew("b", until: 60))
    #expect(asked.conversation.expired(at: 50).seats.isEmpty)
    asked.conversation.expiresAt = 55
    #expect(!asked.conversation.expired(at: 54).isVoid)
    #expect(asked.conversation.expired(at: 55).isVoid)
  }
}

private func event(_ offset: UInt64) -> ChannelEvent {
  ChannelEvent(
    offset: offset, epoch: "e", time: Timestamp(unixMilliseconds: 0), type: "x.y", id: nil,
    data: Array("0".utf8), channel: "a")
}

@Suite struct `A recovery` {
  @Test func `is none where what was missed is too much for one answer`() {
    let size = event(1).size
    for (bytes, isComplete) in [(2 * size, true), (2 * size - 1, false)] {
      var recovery = Recovery(after: 0, epoch: "e", limit: 10, bytes: bytes)
      recovery.add([event(1)], top: 2, epoch: "e")
      recovery.add([event(2)], top: 2, epoch: "e")
      #expect(recovery.isComplete == isComplete)
      #expect(recovery.events.count == (isComplete ? 2 : 0))
    }
  }

  @Test func `has everything, over as many pages as it takes`() {
    var recovery = Recovery(after: 2, epoch: "e", limit: 10)
    recovery.add([event(3), event(4)], top: 6, epoch: "e")
    #expect(recovery.isComplete && recovery.through == 4)
    // A page that overlaps, because more was published meanwhile.
    recovery.add([event(4), event(5), event(6), event(7)], top: 7, epoch: "e")
    #expect(recovery.isComplete)
    #expect(recovery.events.map(\.offset) == [3, 4, 5, 6, 7])
    recovery.add([], top: 7, epoch: "e")
    #expect(recovery.isComplete)
  }

  @Test(arguments: [
    // Another history; a position that never was; a gap at its beginning, within it, and the whole of it.
    (2, "f", [3], 3), (9, "e", [], 8), (2, "e", [4, 5], 5), (2, "e", [3, 5], 5), (2, "e", [], 5),
    // More than a client is given.
    (0, "e", [1, 2, 3, 4, 5], 5),
  ])
  func `says so when it has not`(_ offset: UInt64, _ epoch: String, _ page: [UInt64], _ top: UInt64)
  {
    var recovery = Recovery(after: offset, epoch: epoch, limit: 4)
    recovery.add(page.map(event), top: top, epoch: "e")
    #expect(!recovery.isComplete)
    #expect(recovery.events == [])
  }

  @Test func `takes a client's word that knows no epoch`() {
    var recovery = Recovery(after: 0, epoch: "", limit: 4)
    recovery.add([event(1)], top: 1, epoch: "e")
    #expect(recovery.isComplete)
  }
}

private final class Spoke: WheelMember {
  let name: String
  var wheelSlot: UInt16 = 0
  var wheelIndex: Int32 = -1

  init(_ name: String) { self.name = name }
}

@Suite struct `A wheel of pings` {
  @Test func `turns once in its interval and looks back`() {
    var wheel = PingWheel<Spoke>(interval: 5)
    let (a, b) = (Spoke("a"), Spoke("b"))
    wheel.insert(a, dueIn: 1)
    wheel.insert(b, dueIn: 3)
    var (due, late): ([String], [String]) = ([], [])
    for second in 1...8 {
      let tick = wheel.tick(delay: 2)
      due += tick.due.map { "\($0.name)\(second)" }
      late += tick.late.map { "\($0.name)\(second)" }
    }
    #expect(due == ["a1", "b3", "a6", "b8"])
    #expect(late == ["a3", "b5", "a8"])
  }

  @Test func `forgets who leaves`() {
    var wheel = PingWheel<Spoke>(interval: 2)
    let spokes = (0..<9).map { Spoke("\($0)") }
    for spoke in spokes { wheel.insert(spoke, dueIn: 1) }
    for index in [0, 8, 4, 4] { wheel.remove(spokes[index]) }
    #expect(wheel.count == 6)
    let due = Set(wheel.tick(delay: 1).due.map(\.name))
    #expect(due == ["1", "2", "3", "5", "6", "7"])
    var seen = 0
    wheel.each { _ in seen += 1 }
    #expect(seen == 6)
  }
}
