internal import EventLoop
internal import Wire

/// One JSON line for each request, gathered per loop and handed over in large pieces. Confined to its loop.
struct AccessLog {
  static let capacity = 64 * 1024
  /// Bytes of the longest subject of a client's certificate that a line has room for.
  static let longestClient = 512
  private let writer: LogWriter?
  /// The lines that are gathered, until they are handed over with their memory.
  private var memory: UnsafeMutableRawPointer
  private var chunk: LogChunk
  private var count = 0
  /// The peer of the last line, whose text needs no rendering again.
  private var lastPeer = PeerAddress.unknown
  private let peerText: UnsafeMutableRawPointer
  private var peerCount = 0

  init(writer: LogWriter?) {
    self.writer = writer
    chunk = LogChunk(capacity: writer == nil ? 1 : Self.capacity)
    memory = chunk.memory
    peerText = .allocate(byteCount: PeerAddress.longestText, alignment: 16)
    var writer = ByteWriter(peerText, capacity: PeerAddress.longestText)
    PeerText(address: .unknown).append(to: &writer)
    peerCount = writer.count
  }

  func destroy() { peerText.deallocate() }

  var isOn: Bool { writer != nil }

  /// What a line says.
  struct Line {
    var time: UnsafeRawPointer
    var requestID: UnsafeRawBufferPointer
    var tenant: UnsafeRawBufferPointer
    var method: UnsafeRawBufferPointer
    /// Without the query, which may hold a token.
    var path: UnsafeRawBufferPointer
    var status: Int
    var sent: Int
    var microseconds: Int
    var peer: PeerText
    var principal: UnsafeRawBufferPointer
    /// The subject of the client's certificate, where the connection has TLS: by its place, because hardly anybody has one.
    var client: UnsafePointer<UnsafeRawBufferPointer>?
    var trace: UnsafeRawBufferPointer
    var isHTTP2 = false
  }

  /// Adds a line; returns lines dropped, of which there are some only when the log is behind.
  @inline(__always)
  mutating func add(_ line: Line) -> Int {
    // A request id has at most 64 bytes, a tenant's id 64, a method 32, a trace id 32.
    let room = 640 + 6 * Self.longestClient + line.path.count + 6 * line.principal.count
    guard room <= Self.capacity else { return 1 }
    var dropped = 0
    if count + room > Self.capacity { dropped = flush() }
    var text = LineCursor(memory + count)
    text.put("{\"time\":\"")
    text.put(line.time, DateCache.timeLength)
    text.put("\",\"kind\":\"access\",\"request_id\":\"")
    text.put(short: line.requestID)
    text.put("\",\"tenant\":\"")
    text.put(short: line.tenant)
    text.put("\",\"method\":\"")
    text.put(short: line.method)
    text.put("\",\"path\":\"")
    // The codec lets no quote, backslash or control character into a path.
    text.put(short: line.path)
    text.put("\",\"status\":")
    text.put(decimal: line.status)
    text.put(",\"bytes\":")
    text.put(decimal: line.sent)
    text.put(",\"duration_us\":")
    text.put(decimal: line.microseconds)
    text.put(",\"peer\":\"")
    if line.peer.address.high != lastPeer.high || line.peer.address.low != lastPeer.low {
      render(line.peer)
    }
    text.put(short: UnsafeRawBufferPointer(start: peerText, count: peerCount))
    if line.principal.count > 0 { text.put("\",\"principal\":\"", escaping: line.principal) }
    if let client = line.client { text.put(client: client.pointee) }
    if line.trace.count > 0 {
      text.put("\",\"trace_id\":\"")
      text.put(line.trace)
    }
    if line.isHTTP2 { text.put("\",\"protocol\":\"HTTP/2.0") }
    text.put("\"}\n")
    count = text.place - memory
    return dropped
  }

  @inline(never)
  private mutating func render(_ peer: PeerText) {
    lastPeer = peer.address
    var writer = ByteWriter(peerText, capacity: PeerAddress.longestText)
    peer.append(to: &writer)
    peerCount = writer.count
  }

  /// Hands over what there is; returns lines dropped.
  @inline(never)
  mutating func flush() -> Int {
    guard count > 0, let writer else { return 0 }
    let lines: LogChunk
    if count < Self.capacity / 4 {
      // Few lines wait in memory of their own size, because their bytes are what the log's bound counts.
      lines = LogChunk(copying: UnsafeRawBufferPointer(start: memory, count: count))
    } else {
      lines = chunk
      lines.count = count
      chunk = LogChunk(capacity: Self.capacity)
      memory = chunk.memory
    }
    count = 0
    return writer.write(lines) ? 0 : lines.bytes.reduce(0) { $1 == 0x0a ? $0 + 1 : $0 }
  }
}

extension LineCursor {
  /// Not everyone is somebody, so this stays out of the way.
  @inline(never)
  fileprivate mutating func put(client: UnsafeRawBufferPointer) {
    if client.count > 0 { put("\",\"client\":\"", escaping: client) }
  }

  @inline(never)
  fileprivate mutating func put(_ name: StaticString, escaping value: UnsafeRawBufferPointer) {
    put(name)
    var writer = ByteWriter(place, capacity: 6 * value.count)
    writer.append(escaping: value)
    skip(writer.count)
  }
}

extension ByteWriter {
  /// Appends text inside a JSON string. Bytes that are not valid UTF-8 must not come here.
  mutating func append(escaping text: UnsafeRawBufferPointer) {
    var start = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard byte < 0x20 || byte == 0x22 || byte == 0x5c || byte > 0x7e else { continue }
      append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
      start = index + 1
      switch byte {
      case 0x22: append("\\\"")
      case 0x5c: append("\\\\")
      case 0x80...: append(byte)
      default:
        append("\\u00")
        append(Self.digit(byte >> 4))
        append(Self.digit(byte & 15))
      }
    }
    append(UnsafeRawBufferPointer(rebasing: text[start...]))
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
