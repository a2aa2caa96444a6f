import HTTP2
import Wire

/// HTTP/2 as a client speaks it, split anywhere, while the owner does what it may do at any time and the clock goes on.
///
/// First a byte of options, then steps: what is done, the length of what it is done with, and that.
func fuzzHTTP2(_ input: UnsafeRawBufferPointer) {
  var reader = InputReader(input)
  let options = reader.byte()
  let peer = HTTP2Peer(takesBodies: options & 2 != 0, greets: options & 1 != 0)
  defer { peer.destroy() }
  while !reader.isAtEnd, peer.isOpen {
    let step = reader.byte()
    let bytes = reader.record()
    peer.now += UInt64(step >> 4) * UInt64(step >> 4)
    switch step & 15 {
    case 0...3: peer.receive(bytes)
    case 4: peer.receive(bytes, produces: false)
    case 5...8: peer.receive(HTTP2Peer.frame(bytes))
    case 9: peer.answer(body: bytes.count * 64)
    case 10: peer.answer(body: nil)
    case 11: peer.consume()
    case 12: peer.isPaused.toggle()
    case 13: peer.reset(isMalformed: bytes.count & 1 == 0)
    case 14: peer.inform()
    default: peer.end(announces: bytes.count & 1 == 0)
    }
    peer.produce()
    peer.check()
  }
}

/// The owner of an endpoint, who keeps the promises' books.
final class HTTP2Peer {
  private struct Stream {
    var isOpen = true
    var hasEnded = false
    var isAnswered = false
    /// Bytes of the answer's body that are still to be sent.
    var left = 0
    /// Bytes that have come and were not taken.
    var held = 0
  }

  static let greeting =
    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame([4, 0, 0]) + frame([4, 1, 0])

  private static let limits: HTTP2Limits = {
    var limits = HTTP2Limits()
    limits.streams = 6
    limits.resetsPerSecond = 2
    limits.fieldSectionBytes = 4_096
    limits.streamWindow = 1_000
    limits.connectionWindow = 66_000
    return limits
  }()

  var now: UInt64 = 1_000
  var isPaused = false
  private(set) var isOpen = true
  private var endpoint: HTTP2Endpoint!
  private var streams: [Int32: Stream] = [:]
  private let takesBodies: Bool
  /// What a stream may hold: its window, and the frame that overran it, which nghttp2 hands out as it refuses it.
  private let streamBytes: Int
  private var output = SentFrames()
  private var received = 0
  private var steps = 0
  private var bodies = 0

  init(takesBodies: Bool, greets: Bool) {
    self.takesBodies = takesBodies
    // What a client has not been told, or has not answered, does not bind it (RFC 9113 §6.5.3).
    streamBytes = (greets ? Self.limits.streamWindow : 65_535) + 16_384
    endpoint = HTTP2Endpoint.make(
      owner: Unmanaged.passUnretained(self).toOpaque(), events: Self.events, limits: Self.limits,
      headLimits: RequestHeadLimits(headBytes: 1_024, targetBytes: 256, fields: 10), now: now)
    if greets { receive(Self.greeting) }
  }

  func destroy() { endpoint.destroy() }

  /// A frame of a type, flags, a stream and a payload.
  static func frame(_ parts: [UInt8]) -> [UInt8] {
    let parts = parts + Array(repeating: 0, count: max(0, 3 - parts.count))
    let count = parts.count - 3
    return [0, UInt8(count >> 8), UInt8(count & 255), parts[0], parts[1], 0, 0, 0, parts[2]]
      + parts[3...]
  }

  func receive(_ bytes: [UInt8], produces: Bool = true) {
    guard isOpen else { return }
    received += bytes.count
    var bytes = bytes
    let state = bytes.withUnsafeMutableBytes { endpoint.receive($0, now: now) }
    if state == .finished { return finish() }
    if produces { produce() }
  }

  func produce() {
    guard isOpen else { return }
    if endpoint.produce(now: now) == .finished { finish() }
  }

  private func finish() {
    isOpen = false
    promise(output.isWhole, "the last frame is whole")
  }

  /// Answers the stream that has waited longest.
  func answer(body: Int?) {
    let waiting = streams.filter { $0.value.isOpen && !$0.value.isAnswered }.keys.min()
    guard isOpen, let id = waiting else { return }
    steps += 1
    bodies += body ?? 0
    streams[id]!.isAnswered = true
    streams[id]!.left = body ?? 0
    let context = body == nil ? nil : UnsafeMutableRawPointer(bitPattern: Int(id))
    let fields = [HTTP2Field(":status", Self.status)]
    fields.withUnsafeBufferPointer { _ = endpoint.respond(id, $0, body: context) }
  }

  func inform() {
    let waiting = streams.filter { $0.value.isOpen && !$0.value.isAnswered }.keys.max()
    guard isOpen, let id = waiting else { return }
    steps += 1
    [HTTP2Field(":status", Self.early)].withUnsafeBufferPointer { endpoint.inform(id, $0) }
  }

  func consume() {
    guard isOpen else { return }
    for (id, stream) in streams.sorted(by: { $0.key < $1.key }) where stream.held > 0 {
      if stream.isOpen {
        endpoint.consume(stream.held, on: id)
      } else {
        endpoint.consumeLeft(stream.held)
      }
      streams[id]!.held = 0
    }
  }

  func reset(isMalformed: Bool) {
    guard isOpen, let id = streams.filter({ $0.value.isOpen }).keys.max() else { return }
    steps += 1
    if isMalformed { endpoint.resetMalformed(id) } else { endpoint.reset(id, .cancel) }
    endpoint.countAbandonedWork()
  }

  func end(announces: Bool) {
    guard isOpen else { return }
    steps += 1
    if announces { endpoint.announceEnd() } else { endpoint.end() }
  }

  /// Promises that hold between two calls.
  func check() {
    let open = streams.values.count { $0.isOpen }
    promise(open <= Self.limits.streams, "no more streams are open than may be")
    promise(
      endpoint.openStreams - open == 0 || endpoint.openStreams - open == 1,
      "open streams are counted")
    let held = streams.values.reduce(0) { $0 + $1.held }
    promise(held <= Self.limits.connectionWindow, "the windows bound what has come")
    promise(
      output.own <= 1_000 + 8 * received + 80 * steps,
      "what is sent is bounded by what has come: \(output.own) bytes for \(received)")
    promise(output.bodies <= bodies, "no more is sent of bodies than there is")
  }

  private static var status: UnsafeRawBufferPointer { text("200") }
  private static var early: UnsafeRawBufferPointer { text("103") }

  private static func text(_ text: StaticString) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// A stream that an event names, which is open.
  private func known(_ stream: UnsafeMutableRawPointer, _ event: StaticString) -> Int32 {
    let id = Int32(Int(bitPattern: stream))
    promise(streams[id]?.isOpen == true, "\(event) comes for a stream that is open")
    return id
  }

  private static func peer(_ owner: UnsafeMutableRawPointer) -> HTTP2Peer {
    Unmanaged<HTTP2Peer>.fromOpaque(owner).takeUnretainedValue()
  }

  private static let events = HTTP2Events(
    onRequest: { owner, id, endsStream in
      let peer = peer(owner)
      promise(id % 2 == 1 && id > peer.streams.keys.max() ?? 0, "streams come in order, once")
      peer.streams[id] = Stream(hasEnded: endsStream)
      let section = peer.endpoint.section.pointee
      if section.error == nil { checkSection(section) }
      return UnsafeMutableRawPointer(bitPattern: Int(id))!
    },
    onData: { owner, stream, bytes, count in
      let peer = peer(owner)
      let id = peer.known(stream, "onData")
      promise(!peer.streams[id]!.hasEnded, "nothing comes behind the end")
      // The bytes are the callback's to change.
      UnsafeMutableRawBufferPointer(start: bytes, count: count)
        .initializeMemory(as: UInt8.self, repeating: 0xaa)
      if peer.takesBodies { return peer.endpoint.consume(count, on: id) }
      peer.streams[id]!.held += count
      promise(peer.streams[id]!.held <= peer.streamBytes, "a stream's window bounds it")
    },
    onEnd: { owner, stream in
      let peer = peer(owner)
      let id = peer.known(stream, "onEnd")
      promise(!peer.streams[id]!.hasEnded, "a stream ends once")
      peer.streams[id]!.hasEnded = true
    },
    onAnswered: { owner, stream in
      let peer = peer(owner)
      let id = peer.known(stream, "onAnswered")
      promise(peer.streams[id]!.isAnswered, "what is answered was answered")
      peer.endpoint.reset(id, .noError)
    },
    onClosed: { owner, stream, _ in
      let peer = peer(owner)
      peer.streams[peer.known(stream, "onClosed")]!.isOpen = false
    },
    onPull: { owner, stream, room in
      let peer = peer(owner)
      let id = peer.known(stream, "onPull")
      if peer.isPaused { return HTTP2Pull.paused.rawValue }
      promise(room > 0, "there is room where a body is asked for")
      let count = min(room, peer.streams[id]!.left)
      return HTTP2Pull.bytes(count, isLast: count == peer.streams[id]!.left).rawValue
    },
    onSend: { owner, stream, count in
      let peer = peer(owner)
      let id = peer.known(stream, "onSend")
      promise(count <= peer.streams[id]!.left, "no more is sent than was promised")
      peer.streams[id]!.left -= count
      peer.output.body(count)
    },
    onWrite: { owner, bytes, count in
      peer(owner).output.append(UnsafeRawBufferPointer(start: bytes, count: count))
    },
    onEndHeard: { _ in },
    onBreach: { _, breach in
      promise(HTTP2Breach(rawValue: breach) != nil, "a breach has a name")
    }
  ).makeTable()
}

/// Reads what an endpoint sends, and knows what must not follow what.
private struct SentFrames {
  /// Bytes of frames but for those of bodies.
  private(set) var own = 0
  private(set) var bodies = 0
  private var head: [UInt8] = []
  private var skip = 0
  private var hasBegun = false
  private var ended: Set<UInt32> = []

  /// Whether no frame is incomplete.
  var isWhole: Bool { skip == 0 && head.isEmpty }

  mutating func body(_ count: Int) {
    promise(count <= skip, "a body lies in its frame")
    skip -= count
    bodies += count
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    own += bytes.count
    var rest = bytes[...]
    while !rest.isEmpty {
      if skip > 0 {
        let count = min(skip, rest.count)
        rest = rest.dropFirst(count)
        skip -= count
        continue
      }
      head.append(rest.removeFirst())
      if head.count == 9 { begin() }
    }
  }

  private mutating func begin() {
    let (type, flags) = (head[3], head[4])
    let id = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    skip = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
    head = []
    promise(hasBegun || type == 4 && flags == 0, "the first frame is SETTINGS")
    hasBegun = true
    promise(type < 10 && type != 5, "there is a frame of type \(type), and a server sends it")
    promise((type <= 3) == (id > 0) || type == 8 || type == 9, "the frame has a stream, or none")
    guard type <= 1 || type == 3 else { return }
    promise(type == 3 || !ended.contains(id), "nothing follows the end of a stream")
    if type == 3 || flags & 1 != 0 { ended.insert(id) }
  }
}
