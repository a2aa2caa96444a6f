import HTTP2
import Testing

@Suite struct `HTTP/2 flow control` {
  @Test func `opens windows only for what was taken`() {
    var limits = HTTP2Limits()
    limits.streamWindow = 100_000
    limits.connectionWindow = 100_000
    let owner = Owner(limits: limits)
    owner.takesBodies = false
    owner.receive(.post(1))
    let piece = Frame.data(1, [UInt8](repeating: 7, count: 16_000))
    owner.receive(piece, piece, piece, piece, piece, piece)
    #expect(owner.requests[1]?.body.count == 96_000)
    #expect(owner.sent() == [])
    owner.endpoint.consume(96_000, on: 1)
    owner.produce()
    #expect(owner.sent() == [.windowUpdate(0, 96_000), .windowUpdate(1, 96_000)])
  }

  // RFC 9113 §6.9.1
  @Test func `resets a stream that overruns its window`() {
    var limits = HTTP2Limits()
    limits.streamWindow = 10_000
    let owner = Owner(limits: limits)
    owner.takesBodies = false
    owner.receive(.post(1), .data(1, [UInt8](repeating: 7, count: 16_000)))
    #expect(Owner.resets(owner.sent()) == [1: .flowControlError])
  }

  @Test func `ends a connection that overruns the window of all streams`() {
    var limits = HTTP2Limits()
    limits.connectionWindow = 65_535
    limits.streamWindow = 1 << 20
    let owner = Owner(limits: limits)
    owner.takesBodies = false
    owner.receive(.post(1))
    for _ in 0..<5 { owner.receive(.data(1, [UInt8](repeating: 7, count: 16_000))) }
    #expect(Owner.goAway(owner.sent()) == .flowControlError)
  }

  @Test func `room taken by a stream that is over is given back to the others`() {
    var limits = HTTP2Limits()
    limits.connectionWindow = 100_000
    let owner = Owner(limits: limits)
    owner.takesBodies = false
    owner.receive(.post(1))
    for _ in 0..<5 { owner.receive(.data(1, [UInt8](repeating: 7, count: 16_000))) }
    owner.receive(.reset(1))
    #expect(owner.requests[1]?.closed == HTTP2ErrorCode.cancel.rawValue)
    owner.endpoint.consumeLeft(80_000)
    owner.produce()
    #expect(owner.sent() == [.windowUpdate(0, 80_000)])
  }

  @Test func `sends no more than the peer has room for`() {
    let owner = Owner()
    owner.receive(Frame.settings([(4, 10)]), .get(1))
    owner.answer(1, "200", [UInt8](repeating: 9, count: 25))
    owner.produce()
    #expect(owner.sent().filter { $0.type == 0 }.map(\.payload.count) == [10])
    owner.receive(.windowUpdate(1, 10))
    #expect(owner.sent().map(\.payload.count) == [10])
    owner.receive(Frame.settings([(4, 15)]))
    let rest = owner.sent().filter { $0.type == 0 }
    #expect(rest == [.data(1, [9, 9, 9, 9, 9], ends: true)])
  }

  // RFC 9113 §6.9.2
  @Test func `waits out a window that has become negative`() {
    let owner = Owner()
    owner.receive(Frame.settings([(4, 10)]), .get(1))
    owner.answer(1, "200", [UInt8](repeating: 9, count: 25))
    owner.produce()
    owner.receive(Frame.settings([(4, 0)]), .windowUpdate(1, 10))
    #expect(owner.sent().filter { $0.type == 0 }.map(\.payload.count) == [10])
    owner.receive(.windowUpdate(1, 1))
    #expect(owner.sent().map(\.payload.count) == [1])
  }

  @Test func `a paused owner is asked again when it produces`() {
    let owner = Owner()
    owner.receive(.get(1))
    owner.isPaused = true
    owner.answer(1, "200", [1, 2, 3])
    owner.produce()
    #expect(owner.sent().map(\.type) == [1])
    owner.isPaused = false
    owner.produce()
    #expect(owner.sent() == [.data(1, [1, 2, 3], ends: true)])
  }
}
