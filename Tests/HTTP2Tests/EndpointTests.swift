import HTTP2
import Testing
import Wire

@Suite struct `HTTP/2 endpoint` {
  @Test func `greets with its settings and a window for all streams`() {
    let owner = Owner(greets: false)
    owner.produce()
    let frames = owner.sent()
    #expect(frames.map(\.type) == [4, 8])
    let entries = stride(from: 0, to: frames[0].payload.count, by: 6).map {
      Array(frames[0].payload[$0..<$0 + 6])
    }
    // MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_HEADER_LIST_SIZE, ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES
    #expect(
      entries == [
        [0, 3, 0, 0, 0, 128], [0, 4, 0, 4, 0, 0], [0, 6, 0, 0, 0x80, 0], [0, 8, 0, 0, 0, 1],
        [0, 9, 0, 0, 0, 1],
      ])
    #expect(frames[1].word == 1 << 20 - 65_535)
    #expect(owner.endpoint.isWaitingForHead)
  }

  @Test func `answers a request that comes byte by byte`() {
    let owner = Owner()
    owner.whenRequested = { owner, id in owner.answer(id, "200", Array("hello".utf8)) }
    for byte in Frame.get(1, "/a").bytes { owner.receive([byte]) }
    #expect(owner.requests[1]?.line == "GET /a")
    let frames = owner.sent()
    #expect(frames.map(\.type) == [1, 0])
    #expect(owner.lines(frames[0].payload) == [":status=200"])
    #expect(frames[1] == .data(1, Array("hello".utf8), ends: true))
    #expect(owner.requests[1]?.closed == 0)
    #expect(owner.endpoint.openStreams == 0)
  }

  @Test func `ends an answer without a body with its head`() {
    let owner = Owner()
    owner.whenRequested = { owner, id in owner.answer(id, "204") }
    owner.receive(.get(1))
    #expect(owner.sent().map(\.flags) == [5])
  }

  @Test func `keeps answers of several streams apart and lets them take turns`() {
    let owner = Owner()
    owner.receive(Frame.settings([(4, 1 << 20)]), .windowUpdate(0, 1 << 20))
    owner.receive(.get(1), .get(3))
    let (one, three) = ([UInt8](repeating: 1, count: 40_000), [UInt8](repeating: 3, count: 40_000))
    owner.answer(1, "200", one)
    owner.answer(3, "200", three)
    owner.produce()
    let frames = owner.sent().filter { $0.type == 0 }
    #expect(frames.filter { $0.stream == 1 }.flatMap(\.payload) == one)
    #expect(frames.filter { $0.stream == 3 }.flatMap(\.payload) == three)
    #expect(frames.prefix(4).map(\.stream) == [1, 3, 1, 3])
  }

  @Test func `joins a field section that comes in several frames`() {
    let owner = Owner()
    let block = Frame.block(Frame.request("GET", "/pieces"))
    owner.receive(
      Frame(type: 1, flags: 1, stream: 1, payload: Array(block.prefix(10))),
      .continuation(1, Array(block.dropFirst(10).prefix(10))))
    #expect(owner.endpoint.isWaitingForHead)
    owner.receive(.continuation(1, Array(block.dropFirst(20)), ends: true))
    #expect(owner.requests[1]?.line == "GET /pieces")
    #expect(!owner.endpoint.isWaitingForHead)
  }

  @Test func `hands bodies and trailers on`() {
    let owner = Owner()
    owner.receive(.post(1), .data(1, [1, 2]), .data(1, [3]))
    #expect(owner.requests[1]?.body == [1, 2, 3])
    #expect(owner.requests[1]?.hasEnded == false)
    owner.receive(.headers(1, [("x-sum", "6")]))
    #expect(owner.requests[1]?.hasEnded == true)
  }

  // RFC 9113 §8.1
  @Test(
    arguments: [
      (Frame.headers(1, [("x-sum", "6")], flags: 4), "trailers that do not end the stream"),
      (Frame.headers(1, [(":path", "/")]), "a pseudo-header field among trailers"),
    ]) func `resets a stream with spoilt trailers`(frame: Frame, _: String)
  {
    let owner = Owner()
    owner.receive(.post(1), frame)
    #expect(Owner.resets(owner.sent()) == [1: .protocolError])
    #expect(owner.requests[1]?.closed == HTTP2ErrorCode.protocolError.rawValue)
  }

  @Test func `tells the owner what a request is refused for`() {
    let owner = Owner()
    owner.receive(.headers(1, Frame.request("GET", "x")))
    #expect(owner.requests[1]?.error == .invalidPath)
  }

  // RFC 9113 §8.1.1 allows an answer before the reset.
  @Test func `resets a malformed stream behind its answer`() {
    let owner = Owner()
    owner.whenRequested = { owner, id in
      owner.requests[id]?.isMalformed = true
      owner.answer(id, "400", Array("no".utf8))
      owner.requests[id]?.isMalformed = true
    }
    owner.receive(.headers(1, Frame.request("GET", "x")))
    let frames = owner.sent()
    #expect(frames.map(\.type) == [1, 0, 3])
    #expect(frames[1] == .data(1, Array("no".utf8)))
    #expect(Owner.resets(frames) == [1: .protocolError])
  }

  // RFC 9113 §8.1
  @Test func `asks for no more of a body when its answer is complete`() {
    let owner = Owner()
    owner.receive(.post(1))
    owner.answer(1, "413", Array("no".utf8))
    owner.produce()
    #expect(owner.requests[1]?.isAnswered == true)
    #expect(Owner.resets(owner.sent()) == [:])
    owner.endpoint.reset(1, .noError)
    owner.produce()
    #expect(Owner.resets(owner.sent()) == [1: .noError])
    #expect(owner.requests[1]?.closed == 0)
  }

  @Test func `interim answers come first`() {
    let owner = Owner()
    owner.receive(.post(1))
    let status: StaticString = "100"
    let fields = [
      HTTP2Field(":status", UnsafeRawBufferPointer(start: status.utf8Start, count: 3))
    ]
    fields.withUnsafeBufferPointer { owner.endpoint.inform(1, $0) }
    owner.receive(.data(1, [1], ends: true))
    owner.answer(1)
    owner.produce()
    let frames = owner.sent()
    #expect(frames.map { owner.lines($0.payload) } == [[":status=100"], [":status=200"]])
  }

  @Test func `announces its end, then names the last stream, and is finished after it`() {
    let owner = Owner()
    owner.receive(.get(1))
    owner.endpoint.announceEnd()
    owner.produce()
    var frames = owner.sent()
    #expect(frames.map(\.type) == [7, 6])
    #expect(frames[0].word == 0x7fff_ffff)
    owner.receive(Frame.get(3), Frame(type: 6, flags: 1, payload: frames[1].payload))
    #expect(owner.hasHeardEnd)
    owner.endpoint.end()
    owner.produce()
    frames = owner.sent()
    #expect(frames.map(\.type) == [7])
    #expect(frames[0].word == 3)
    owner.receive(.get(5))
    #expect(owner.requests[5] == nil)
    owner.answer(1)
    owner.answer(3)
    #expect(owner.state == .open)
    owner.produce()
    #expect(owner.state == .finished)
  }

  @Test func `is finished when the peer goes away`() {
    let owner = Owner()
    owner.receive(Frame(type: 7, payload: [UInt8](repeating: 0, count: 8)))
    #expect(owner.state == .finished)
  }
}

/// What ends a connection, and with which error.
struct ConnectionFault: CustomTestStringConvertible, Sendable {
  var frames: [Frame]
  var code: HTTP2ErrorCode
  var rule: String
  var testDescription: String { "\(rule): \(frames)" }

  static let all: [ConnectionFault] = [
    ConnectionFault(frames: [.data(0, [1])], code: .protocolError, rule: "9113 §6.1"),
    ConnectionFault(frames: [.data(1, [1])], code: .protocolError, rule: "9113 §5.1, idle"),
    ConnectionFault(
      frames: [.headers(2, Frame.request("GET", "/"))], code: .protocolError, rule: "9113 §5.1.1"),
    ConnectionFault(frames: [.get(0)], code: .protocolError, rule: "9113 §6.2"),
    ConnectionFault(
      frames: [.get(1, flags: 1), .ping], code: .protocolError, rule: "9113 §6.10"),
    ConnectionFault(
      frames: [.get(1, flags: 1), .continuation(3, [], ends: true)], code: .protocolError,
      rule: "9113 §6.10"),
    ConnectionFault(
      frames: [.continuation(1, [], ends: true)], code: .protocolError, rule: "9113 §6.10"),
    ConnectionFault(
      frames: [Frame(type: 1, flags: 5, stream: 1, payload: [0x80])], code: .compressionError,
      rule: "7541 §6.1, index 0"),
    ConnectionFault(
      frames: [Frame(type: 1, flags: 5, stream: 1, payload: [0xff, 0xff, 0xff])],
      code: .compressionError, rule: "7541 §5.1, an index that is not there"),
    ConnectionFault(frames: [.reset(1)], code: .protocolError, rule: "9113 §6.4, idle"),
    ConnectionFault(
      frames: [Frame(type: 3, stream: 1, payload: [0])], code: .frameSizeError, rule: "9113 §6.4"),
    ConnectionFault(
      frames: [Frame(type: 4, payload: [0])], code: .frameSizeError, rule: "9113 §6.5"),
    ConnectionFault(
      frames: [Frame(type: 4, flags: 1, payload: [0, 1, 0, 0, 0, 0])], code: .frameSizeError,
      rule: "9113 §6.5"),
    ConnectionFault(
      frames: [Frame(type: 4, stream: 1)], code: .protocolError, rule: "9113 §6.5"),
    ConnectionFault(
      frames: [.settings([(4, 0x8000_0000)])], code: .flowControlError, rule: "9113 §6.5.2"),
    ConnectionFault(frames: [.settings([(5, 1)])], code: .protocolError, rule: "9113 §6.5.2"),
    ConnectionFault(frames: [.settings([(2, 2)])], code: .protocolError, rule: "9113 §6.5.2"),
    ConnectionFault(
      frames: [Frame(type: 5, flags: 4, stream: 1, payload: [0, 0, 0, 2])], code: .protocolError,
      rule: "9113 §8.4"),
    ConnectionFault(
      frames: [Frame(type: 6, payload: [1])], code: .frameSizeError, rule: "9113 §6.7"),
    ConnectionFault(
      frames: [Frame(type: 6, stream: 1, payload: Frame.ping.payload)], code: .protocolError,
      rule: "9113 §6.7"),
    ConnectionFault(frames: [.windowUpdate(0, 0)], code: .protocolError, rule: "9113 §6.9"),
    ConnectionFault(
      frames: [.windowUpdate(0, 0x7fff_ffff)], code: .flowControlError, rule: "9113 §6.9.1"),
    ConnectionFault(
      frames: [Frame(type: 8, stream: 0, payload: [1])], code: .frameSizeError, rule: "9113 §6.9"),
    ConnectionFault(
      frames: [Frame(type: 0, flags: 8, stream: 1, payload: [9, 0])], code: .protocolError,
      rule: "9113 §6.1, padding"),
  ]
}

@Suite struct `HTTP/2 connection errors` {
  @Test(arguments: ConnectionFault.all) func `end the connection`(fault: ConnectionFault) {
    let owner = Owner()
    for frame in fault.frames { owner.receive(frame) }
    #expect(Owner.goAway(owner.sent()) == fault.code)
    #expect(owner.state == .finished)
  }

  @Test func `a preface that is none ends the connection`() {
    let owner = Owner(greets: false)
    owner.receive(Array("PRI * HTTP/2.0\r\n\r\nsm\r\n\r\n".utf8))
    #expect(owner.state == .finished)
    let frames = owner.sent()
    #expect(Owner.goAway(frames) == .protocolError)
    // RFC 9113 §3.4: SETTINGS comes first, whatever comes next.
    #expect(frames.first?.type == 4)
  }

  @Test func `a preface without settings ends the connection`() {
    let owner = Owner(greets: false)
    owner.receive(Frame.preface + Frame.ping.bytes)
    let frames = owner.sent()
    #expect(Owner.goAway(frames) == .protocolError)
    #expect(frames.first?.type == 4)
  }
}
