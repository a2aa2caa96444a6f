import HTTP2
import Testing
import Wire

/// Something that costs the peer little and us much, when it is done often.
struct Flood: CustomTestStringConvertible, Sendable {
  var name: String
  var breach: HTTP2Breach
  /// The frames of one event; streams are numbered from 1 on.
  var frames: @Sendable (Int) -> [Frame]
  /// Events that may come at once.
  var burst: Int
  var before: [Frame] = []

  var testDescription: String { name }

  private static func stream(_ number: Int) -> UInt32 { UInt32(2 * number + 1) }

  static let all: [Flood] = [
    Flood(
      name: "streams that are opened and reset (CVE-2023-44487)", breach: .resets,
      frames: { [.get(stream($0), flags: 4), .reset(stream($0))] }, burst: 50),
    Flood(
      name: "streams that we are made to reset by spoilt trailers (CVE-2025-8671)",
      breach: .resets,
      frames: { [.post(stream($0)), .headers(stream($0), [("Upper", "case")])] }, burst: 50),
    Flood(
      name: "streams that we are made to reset by a window that overflows (CVE-2025-8671)",
      breach: .resets,
      frames: { [.post(stream($0)), .windowUpdate(stream($0), 0x7fff_ffff)] }, burst: 50),
    Flood(
      name: "streams that we are made to reset by more than their window (CVE-2025-8671)",
      breach: .resets,
      frames: { [.post(stream($0)), .data(stream($0), [UInt8](repeating: 0, count: 101))] },
      burst: 50),
    Flood(name: "PING", breach: .pings, frames: { _ in [.ping] }, burst: 60),
    Flood(
      name: "PING that answers nothing", breach: .pings,
      frames: { _ in [Frame(type: 6, flags: 1, payload: Frame.ping.payload)] }, burst: 60),
    // Two have been seen in the greeting.
    Flood(name: "SETTINGS", breach: .settings, frames: { _ in [.settings()] }, burst: 68),
    Flood(
      name: "windows that move for all streams", breach: .settings,
      frames: { [.settings([(4, UInt32($0 % 2) * 65_535)])] }, burst: 68),
    Flood(
      name: "PRIORITY", breach: .ignoredFrames, frames: { [.priority(stream($0))] }, burst: 80),
    Flood(
      name: "PRIORITY_UPDATE", breach: .ignoredFrames,
      frames: { _ in [Frame(type: 16, payload: [0, 0, 0, 1, 0x75])] }, burst: 80),
    Flood(
      name: "frames of no known type", breach: .ignoredFrames,
      frames: { _ in [Frame(type: 99, payload: [1])] }, burst: 80),
    Flood(
      name: "empty DATA", breach: .emptyFrames, frames: { _ in [.data(1, [])] }, burst: 90,
      before: [.post(1)]),
    Flood(
      name: "WINDOW_UPDATE of the connection", breach: .windowUpdates,
      frames: { _ in [.windowUpdate(0, 1)] }, burst: 100),
    Flood(
      name: "WINDOW_UPDATE of a stream", breach: .windowUpdates,
      frames: { _ in [.windowUpdate(1, 1)] }, burst: 100, before: [.post(1)]),
  ]

  static var limits: HTTP2Limits {
    var limits = HTTP2Limits()
    limits.resetsPerSecond = 5
    limits.pingsPerSecond = 6
    limits.settingsPerSecond = 7
    limits.ignoredFramesPerSecond = 8
    limits.emptyFramesPerSecond = 9
    limits.windowUpdatesPerSecond = 10
    limits.streamWindow = 100
    return limits
  }
}

@Suite struct `HTTP/2 floods` {
  @Test(arguments: Flood.all) func `end the connection when they pass their limit`(flood: Flood) {
    let owner = Owner(limits: Flood.limits)
    for frame in flood.before { owner.receive(frame) }
    for number in 0..<flood.burst { for frame in flood.frames(number) { owner.receive(frame) } }
    #expect(owner.breaches == [])
    #expect(owner.state == .open)
    for frame in flood.frames(flood.burst) { owner.receive(frame) }
    #expect(owner.breaches == [flood.breach])
    #expect(owner.state == .finished)
    #expect(Owner.goAway(owner.sent()) == .enhanceYourCalm)
  }

  // The gauge forgets at its rate, so what is spread over time goes on for ever.
  @Test(arguments: Flood.all) func `are none when they are slow`(flood: Flood) {
    let owner = Owner(limits: Flood.limits)
    for frame in flood.before { owner.receive(frame) }
    for number in 0..<20 * flood.burst {
      owner.now += 200
      for frame in flood.frames(number) { owner.receive(frame) }
    }
    #expect(owner.breaches == [])
    #expect(owner.state == .open)
  }

  @Test func `DATA counts by how little it carries`() {
    for (carried, most) in [(0, 20), (1, 40), (4, 100), (31, 645)] {
      var limits = HTTP2Limits()
      limits.emptyFramesPerSecond = 2
      let owner = Owner(limits: limits)
      let frame = Frame.data(1, [UInt8](repeating: 1, count: carried))
      owner.receive(.post(1))
      for _ in 0..<most { owner.receive(frame) }
      #expect(owner.breaches == [], "\(carried) bytes")
      owner.receive(frame)
      #expect(owner.breaches == [.emptyFrames], "\(carried) bytes")
    }
  }

  @Test func `padding carries nothing`() {
    var limits = HTTP2Limits()
    limits.emptyFramesPerSecond = 2
    let owner = Owner(limits: limits)
    let frame = Frame(
      type: 0, flags: 8, stream: 1, payload: [200] + [UInt8](repeating: 0, count: 200))
    owner.receive(.post(1))
    for _ in 0..<20 { owner.receive(frame) }
    #expect(owner.breaches == [])
    owner.receive(frame)
    #expect(owner.breaches == [.emptyFrames])
  }

  // A message of gRPC has five bytes before it, and often few behind them.
  @Test func `small messages are no flood, however long they go on`() {
    let owner = Owner()
    owner.receive(.post(1))
    let message = Frame.data(1, [UInt8](repeating: 0, count: 12))
    for number in 0..<20_000 {
      owner.now = UInt64(number)
      owner.receive(message)
      owner.endpoint.consume(12, on: 1)
    }
    #expect(owner.breaches == [])
  }

  @Test func `large frames make room for small ones`() {
    var limits = HTTP2Limits()
    limits.emptyFramesPerSecond = 1
    let owner = Owner(limits: limits)
    owner.receive(.post(1))
    for _ in 0..<100 {
      owner.receive(.data(1, [UInt8](repeating: 0, count: 1_024)), .data(1, [0]), .data(1, [0]))
    }
    #expect(owner.breaches == [])
  }

  @Test func `nothing is done for what comes behind the frame that was too many`() {
    let owner = Owner()
    var bytes: [UInt8] = []
    for number in 0..<20_000 {
      let stream = UInt32(2 * number + 1)
      bytes += Frame.get(stream, flags: 4).bytes + Frame.reset(stream).bytes
    }
    owner.receive(bytes)
    #expect(owner.requests.count == 401)
    #expect(owner.breaches == [.resets])
    #expect(Owner.goAway(owner.sent()) == .enhanceYourCalm)
  }

  @Test func `work that was begun for a stream counts beside its reset`() {
    var limits = HTTP2Limits()
    limits.resetsPerSecond = 1
    let owner = Owner(limits: limits)
    owner.whenRequested = { owner, _ in owner.endpoint.countAbandonedWork() }
    for number in 0..<5 {
      owner.receive(.get(UInt32(2 * number + 1), flags: 4), .reset(UInt32(2 * number + 1)))
    }
    #expect(owner.breaches == [])
    owner.receive(.get(11, flags: 4))
    #expect(owner.breaches == [.resets])
  }

  @Test func `room for answers that were taken is no flood`() {
    var limits = HTTP2Limits()
    limits.windowUpdatesPerSecond = 1
    let owner = Owner(limits: limits)
    owner.receive(.get(1))
    owner.answer(1, "200", [UInt8](repeating: 1, count: 2_000_000))
    owner.produce()
    for _ in 0..<100 { owner.receive(.windowUpdate(0, 16_384), .windowUpdate(1, 16_384)) }
    #expect(owner.breaches == [])
    #expect(owner.requests[1]!.answer.count < 310_000)
  }

  @Test func `room in crumbs is one`() {
    var limits = HTTP2Limits()
    limits.windowUpdatesPerSecond = 1
    let owner = Owner(limits: limits)
    owner.receive(Frame.settings([(4, 0)]), .get(1))
    owner.answer(1, "200", [UInt8](repeating: 1, count: 1_000))
    owner.produce()
    for _ in 0..<11 { owner.receive(.windowUpdate(1, 1)) }
    #expect(owner.breaches == [.windowUpdates])
  }

  // CVE-2024-27316 and its kin
  @Test func `CONTINUATION without end`() {
    let owner = Owner()
    owner.receive(.get(1, flags: 1))
    for _ in 0..<16 { owner.receive(.continuation(1, Frame.block([("a", "b")]))) }
    #expect(owner.state == .open)
    owner.receive(.continuation(1, Frame.block([("a", "b")])))
    #expect(owner.breaches == [.continuations])
    #expect(Owner.goAway(owner.sent()) == .enhanceYourCalm)
  }

  // RFC 9113 §10.5.1
  @Test func `a field section that is small on the wire and large in memory`() {
    let owner = Owner()
    let line = Frame.indexed("x", String(repeating: "a", count: 3_000))
    // The line is the newest entry of the dynamic table: index 62.
    let block = line + [UInt8](repeating: 0x80 | 62, count: 100)
    owner.receive(Frame(type: 1, flags: 5, stream: 1, payload: block))
    #expect(owner.breaches == [.fieldSection])
    #expect(Owner.goAway(owner.sent()) == .enhanceYourCalm)
    #expect(owner.requests.isEmpty)
  }

  @Test func `a field section over the limit for heads is refused alone`() {
    let owner = Owner(headLimits: RequestHeadLimits(headBytes: 4_096))
    let line = Frame.indexed("x", String(repeating: "a", count: 3_000))
    let block = Frame.block(Frame.request("GET", "/")) + line + [0x80 | 62]
    owner.receive(Frame(type: 1, flags: 5, stream: 1, payload: block))
    #expect(owner.requests[1]?.error == .http(.headTooLarge))
    // The decoder's state is as the peer believes it to be.
    owner.receive(
      Frame(
        type: 1, flags: 5, stream: 3,
        payload: Frame.block(Frame.request("GET", "/next")) + [0x80 | 62]))
    #expect(owner.requests[3]?.line == "GET /next")
  }

  @Test func `streams beyond what the peer was told`() {
    var limits = HTTP2Limits()
    limits.streams = 3
    let early = Owner(limits: limits, greets: false)
    early.receive(Frame.preface + Frame.settings().bytes)
    early.receive(.post(1), .post(3), .post(5), .post(7))
    #expect(Owner.resets(early.sent()) == [7: .refusedStream])
    #expect(early.breaches == [.streams])
    let late = Owner(limits: limits)
    late.receive(.post(1), .post(3), .post(5))
    #expect(late.state == .open)
    late.receive(.post(7))
    #expect(late.breaches == [.streams])
    #expect(Owner.goAway(late.sent()) == .protocolError)
  }
}
