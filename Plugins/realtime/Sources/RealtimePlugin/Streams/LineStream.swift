internal import PluginKit

/// An answer without an end that carries lines to a client.
///
/// Its memory is bounded: what a client that is behind has not been sent waits here, up to `limit` bytes. Past that it is
/// forgotten, and the client is told, should it ever read on, that it was slow.
final class LineStream {
  /// How lines are written.
  enum Format: String {
    /// Server-Sent Events (HTML §9.2) of the protocol: each line is the data of one.
    case sse
    /// One JSON document on a line.
    case httpStream = "http_stream"
    /// Server-Sent Events without a protocol, for clients without an SDK.
    case uniSSE = "uni_sse"
  }

  let format: Format
  private let answer: PushStream
  private let limit: Int
  private var isBehind = false
  private var isEnding = false
  private var waiting: [UInt8] = []
  private unowned(unsafe) let context: ShardContext
  /// Called once when it has ended, whoever ended it; never from inside a call.
  var onEnd: (_ isSlow: Bool) -> Void = { _ in }

  /// Begins the answer to a request.
  ///
  /// - Parameter limit: bytes that may wait for a client that is behind.
  init(_ request: Request, _ format: Format, limit: Int, in context: ShardContext) throws {
    self.format = format
    self.limit = limit
    self.context = context
    for (name, value) in Self.fields { try request.addHeader(name, value) }
    answer = try request.push(contentType: "\(format.contentType)")
    // The answer holds this until it has ended: what waits goes out also when nobody else knows of it.
    answer.onRoom = { [self] in hasRoom() }
    answer.onGone = { [self] in hasEnded(isSlow: false) }
  }

  /// The number by which the host knows it.
  var token: UInt64 { answer.token }
  /// What messages of the client are dispatched from, and what new tokens are for.
  var sender: PushStream { answer }

  /// Milliseconds after which an EventSource is to come back: not the same for all that end together.
  private var pause: Int {
    Self.shortestPause + Int((token &* 0x9E37_79B9_7F4A_7C15) >> 32 % UInt64(Self.pauses))
  }

  private static let shortestPause = 1_000
  private static let pauses = 9_000

  /// What keeps proxies from keeping events back, and everybody from keeping them.
  private static let fields = [
    ("cache-control", "private, no-cache, no-store, must-revalidate, max-age=0"),
    ("x-accel-buffering", "no"),
  ]

  /// Sends a line, or several joined by line feeds.
  func send(_ line: [UInt8]) { send(framed: format.frame(line)) }

  /// Sends what `format` has framed.
  func send(framed piece: [UInt8]) {
    guard !isEnding else { return }
    guard isBehind else { return pass(piece) }
    guard waiting.count + piece.count <= limit else { return giveUp() }
    waiting += piece
  }

  /// Says why, and ends when that has been sent.
  func close(_ close: CloseCode) {
    guard !isEnding else { return }
    isEnding = true
    waiting += format.farewell(close, pause: pause)
    if !isBehind { sendLast() }
    endLater(isSlow: false)
  }

  /// The client does not read: what waits is of no use to it without the rest.
  private func giveUp() {
    isEnding = true
    waiting = format.farewell(.slow, pause: pause)
    endLater(isSlow: true)
  }

  private func pass(_ piece: [UInt8]) {
    if answer.send(piece) == .pending { isBehind = true }
  }

  private func hasRoom() {
    isBehind = false
    guard !isEnding else { return sendLast() }
    let piece = waiting
    waiting = []
    if !piece.isEmpty { pass(piece) }
  }

  private func sendLast() {
    _ = answer.send(waiting)
    waiting = []
    answer.end()
  }

  private func endLater(isSlow: Bool) {
    context.spawn { [self] in hasEnded(isSlow: isSlow) }
  }

  private func hasEnded(isSlow: Bool) {
    isEnding = true
    let onEnd = onEnd
    self.onEnd = { _ in }
    onEnd(isSlow)
  }
}

extension LineStream.Format {
  /// As the answer has it.
  var contentType: StaticString {
    switch self {
    case .sse, .uniSSE: "text/event-stream; charset=utf-8"
    case .httpStream: "application/octet-stream"
    }
  }

  /// Lines, joined by line feeds, as they go out.
  func frame(_ lines: [UInt8]) -> [UInt8] {
    switch self {
    case .httpStream: lines + [UInt8(ascii: "\n")]
    case .sse, .uniSSE: Self.event(lines)
    }
  }

  /// An event of Server-Sent Events. A carriage return, which ends a line there, stands between JSON's values only.
  ///
  /// - Parameter pause: milliseconds after which the client is to come back from now on, if it has to.
  static func event(
    id: String? = nil, name: String? = nil, pause: Int? = nil, _ data: [UInt8]
  ) -> [UInt8] {
    var event: [UInt8] = []
    event.reserveCapacity(data.count + (id?.utf8.count ?? 0) + 32)
    if let pause { event += "retry: \(pause)\n".utf8 }
    if let id { event += "id: \(id)\n".utf8 }
    if let name { event += "event: \(name)\n".utf8 }
    event += "data: ".utf8
    for byte in data {
      event.append(byte == 0x0D ? 0x20 : byte)
      if byte == 0x0A { event += "data: ".utf8 }
    }
    event += "\n\n".utf8
    return event
  }

  /// What says why it ends.
  func farewell(_ close: CloseCode, pause: Int? = nil) -> [UInt8] {
    guard self == .uniSSE else { return frame(Push.disconnect(close)) }
    var line = JSONLine()
    line.object { line in
      line.member("type", "disconnect")
      line.member("code", close.code)
      line.member("reason", close.reason)
    }
    return Self.event(name: "disconnect", pause: pause, line.bytes)
  }
}
