import CNghttp2
import HTTP2
import Wire

/// A frame, as it is on the wire (RFC 9113 §4.1).
struct Frame: Equatable, CustomStringConvertible {
  var type: UInt8
  var flags: UInt8 = 0
  var stream: UInt32 = 0
  var payload: [UInt8] = []

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  var bytes: [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
      + Self.word(stream) + payload
  }

  static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

  var word: UInt32 { payload.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }

  var description: String {
    let names = [
      "DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY",
      "WINDOW_UPDATE", "CONTINUATION",
    ]
    return "\(names[Int(type)])(\(stream), flags \(flags), \(payload.count) bytes)"
  }

  static func data(_ stream: UInt32, _ payload: [UInt8], ends: Bool = false) -> Frame {
    Frame(type: 0, flags: ends ? 1 : 0, stream: stream, payload: payload)
  }

  /// - Parameter flags: END_STREAM 1, END_HEADERS 4.
  static func headers(_ stream: UInt32, _ lines: [(String, String)], flags: UInt8 = 5) -> Frame {
    Frame(type: 1, flags: flags, stream: stream, payload: block(lines))
  }

  static func get(_ stream: UInt32, _ path: String = "/", flags: UInt8 = 5) -> Frame {
    headers(stream, request("GET", path), flags: flags)
  }

  static func post(_ stream: UInt32, _ fields: [(String, String)] = []) -> Frame {
    headers(stream, request("POST", "/") + fields, flags: 4)
  }

  static func request(_ method: String, _ path: String) -> [(String, String)] {
    [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)]
  }

  static func priority(_ stream: UInt32) -> Frame {
    Frame(type: 2, stream: stream, payload: [0, 0, 0, 0, 15])
  }

  static func reset(_ stream: UInt32, _ code: HTTP2ErrorCode = .cancel) -> Frame {
    Frame(type: 3, stream: stream, payload: word(code.rawValue))
  }

  static func settings(_ entries: [(UInt16, UInt32)] = []) -> Frame {
    Frame(
      type: 4,
      payload: entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + word($0.1) })
  }

  static let settingsAnswer = Frame(type: 4, flags: 1)
  static let ping = Frame(type: 6, payload: [1, 2, 3, 4, 5, 6, 7, 8])

  static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> Frame {
    Frame(type: 8, stream: stream, payload: word(increment))
  }

  static func continuation(_ stream: UInt32, _ block: [UInt8], ends: Bool = false) -> Frame {
    Frame(type: 9, flags: ends ? 4 : 0, stream: stream, payload: block)
  }

  /// Lines as literals that are not indexed, without Huffman's code (RFC 7541 §6.2.2).
  static func block(_ lines: [(String, String)]) -> [UInt8] {
    lines.flatMap { [0] + text($0.0) + text($0.1) }
  }

  /// A line that the decoder remembers (RFC 7541 §6.2.1).
  static func indexed(_ name: String, _ value: String) -> [UInt8] {
    [0x40] + text(name) + text(value)
  }

  private static func text(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
    var rest = bytes.count - 127
    var length: [UInt8] = [127]
    while rest >= 128 {
      length.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return length + [UInt8(rest)] + bytes
  }

  /// The frames in `bytes`, which are whole.
  static func all(in bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while rest.count >= 9 {
      let head = Array(rest.prefix(9))
      let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
      let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      rest = rest.dropFirst(9)
      frames.append(
        Frame(type: head[3], flags: head[4], stream: stream, payload: Array(rest.prefix(count))))
      rest = rest.dropFirst(count)
    }
    return frames
  }
}

/// An endpoint whose owner writes down what happens, and answers as the test says.
final class Owner {
  struct Request {
    var id: Int32
    var line = ""
    var error: FieldSectionError?
    var body: [UInt8] = []
    var hasEnded = false
    var closed: UInt32?
    /// What is still to be sent of the answer.
    var answer: [UInt8] = []
    var isMalformed = false
    /// Answered before the peer had sent everything.
    var isAnswered = false
  }

  private(set) var endpoint: HTTP2Endpoint!
  var requests: [Int32: Request] = [:]
  var breaches: [HTTP2Breach] = []
  var written: [UInt8] = []
  var now: UInt64 = 1_000
  var state = HTTP2Endpoint.State.open
  var isPaused = false
  var hasHeardEnd = false
  /// Whether body bytes are taken as they come.
  var takesBodies = true
  /// Called when a request's head has come.
  var whenRequested: (Owner, Int32) -> Void = { _, _ in }
  private var inflater: OpaquePointer?

  init(
    limits: HTTP2Limits = HTTP2Limits(), headLimits: RequestHeadLimits = RequestHeadLimits(),
    greets: Bool = true
  ) {
    nghttp2_hd_inflate_new(&inflater)
    endpoint = HTTP2Endpoint.make(
      owner: Unmanaged.passUnretained(self).toOpaque(), events: Self.events, limits: limits,
      headLimits: headLimits, now: now)
    guard greets else { return }
    receive(Frame.preface + Frame.settings().bytes + Frame.settingsAnswer.bytes)
    _ = sent()
  }

  deinit {
    endpoint.destroy()
    nghttp2_hd_inflate_del(inflater)
  }

  @discardableResult
  func receive(_ frames: Frame...) -> HTTP2Endpoint.State { receive(frames.flatMap(\.bytes)) }

  @discardableResult
  func receive(_ bytes: [UInt8]) -> HTTP2Endpoint.State {
    guard state == .open else { return state }
    var bytes = bytes
    state = bytes.withUnsafeMutableBytes { endpoint.receive($0, now: now) }
    if state == .open { state = endpoint.produce(now: now) }
    return state
  }

  func produce() { if state == .open { state = endpoint.produce(now: now) } }

  /// What was sent since the last call.
  func sent() -> [Frame] {
    defer { written = [] }
    return Frame.all(in: written)
  }

  /// The error of the GOAWAY among these frames.
  static func goAway(_ frames: [Frame]) -> HTTP2ErrorCode? {
    guard let frame = frames.last(where: { $0.type == 7 }) else { return nil }
    let code = frame.payload[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return HTTP2ErrorCode(rawValue: code)
  }

  static func resets(_ frames: [Frame]) -> [UInt32: HTTP2ErrorCode?] {
    var codes: [UInt32: HTTP2ErrorCode?] = [:]
    for frame in frames where frame.type == 3 {
      codes[frame.stream] = HTTP2ErrorCode(rawValue: frame.word)
    }
    return codes
  }

  func answer(_ id: Int32, _ status: String = "200", _ body: [UInt8]? = nil) {
    requests[id]?.answer = body ?? []
    let context = body == nil ? nil : UnsafeMutableRawPointer(bitPattern: Int(id))
    var status = status
    status.withUTF8 { status in
      let fields = [HTTP2Field(":status", UnsafeRawBufferPointer(status))]
      fields.withUnsafeBufferPointer { _ = endpoint.respond(id, $0, body: context) }
    }
  }

  /// The lines of a block that the endpoint sent; each once, in order, for the decoder remembers.
  func lines(_ block: [UInt8]) -> [String] {
    var lines: [String] = []
    block.withUnsafeBufferPointer { block in
      var offset = 0
      while true {
        var pair = nghttp2_nv()
        var flags: Int32 = 0
        let count = nghttp2_hd_inflate_hd2(
          inflater, &pair, &flags, block.baseAddress! + offset, block.count - offset, 1)
        guard count >= 0 else { break }
        offset += count
        if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
          let name = UnsafeBufferPointer(start: pair.name, count: pair.namelen)
          let value = UnsafeBufferPointer(start: pair.value, count: pair.valuelen)
          lines.append(
            "\(String(decoding: name, as: UTF8.self))=\(String(decoding: value, as: UTF8.self))")
        }
        if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
      }
      nghttp2_hd_inflate_end_headers(inflater)
    }
    return lines
  }

  private static func owner(_ word: UnsafeMutableRawPointer) -> Owner {
    Unmanaged<Owner>.fromOpaque(word).takeUnretainedValue()
  }

  private static func id(_ stream: UnsafeMutableRawPointer) -> Int32 {
    Int32(Int(bitPattern: stream))
  }

  static let events = HTTP2Events(
    onRequest: { word, id, endsStream in
      let owner = owner(word)
      let section = owner.endpoint.section
      var request = Request(id: id)
      request.error = section.pointee.error
      request.hasEnded = endsStream
      if request.error == nil {
        let head = section.pointee.head
        let base = section.pointee.base
        request.line = "\(head.methodSpan.text(in: base)) \(head.target.text(in: base))"
      }
      owner.requests[id] = request
      owner.whenRequested(owner, id)
      return UnsafeMutableRawPointer(bitPattern: Int(id))!
    },
    onData: { word, stream, bytes, count in
      let owner = owner(word)
      owner.requests[id(stream)]?.body += UnsafeRawBufferPointer(start: bytes, count: count)
      if owner.takesBodies { owner.endpoint.consume(count, on: id(stream)) }
    },
    onEnd: { word, stream in owner(word).requests[id(stream)]?.hasEnded = true },
    onAnswered: { word, stream in owner(word).requests[id(stream)]?.isAnswered = true },
    onClosed: { word, stream, code in owner(word).requests[id(stream)]?.closed = code },
    onPull: { word, stream, room in
      let owner = owner(word)
      if owner.isPaused { return HTTP2Pull.paused.rawValue }
      let request = owner.requests[id(stream)]!
      if request.answer.isEmpty, request.isMalformed { return HTTP2Pull.malformed.rawValue }
      let count = min(room, request.answer.count)
      let isLast = count == request.answer.count && !request.isMalformed
      return HTTP2Pull.bytes(count, isLast: isLast).rawValue
    },
    onSend: { word, stream, count in
      let owner = owner(word)
      owner.written += owner.requests[id(stream)]!.answer.prefix(count)
      owner.requests[id(stream)]!.answer.removeFirst(count)
    },
    onWrite: { word, bytes, count in
      owner(word).written += UnsafeRawBufferPointer(start: bytes, count: count)
    },
    onEndHeard: { owner($0).hasHeardEnd = true },
    onBreach: { owner($0).breaches.append(HTTP2Breach(rawValue: $1)!) }
  ).makeTable()
}
