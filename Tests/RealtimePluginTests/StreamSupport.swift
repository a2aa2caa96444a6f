import PluginKit
import Testing

@testable import PluginTesting
@testable import RealtimePlugin

/// A client of the protocol that has an answer without an end and says what it has to say beside it.
struct StreamClient {
  let host: TestHost
  let answer: PendingReply
  let connected: Line.Connected

  /// Every line that has come so far.
  var lines: [Line] {
    get async throws { try Self.lines(in: try await answer.pieces()) }
  }

  static func lines(in pieces: TestPieces) throws -> [Line] {
    let isEvents = pieces.contentType?.hasPrefix("text/event-stream") == true
    return try pieces.text.split(separator: "\n").filter { !$0.hasPrefix(":") }.map { line in
      if isEvents { #expect(line.hasPrefix("data: ")) }
      let json = isEvents ? String(line.dropFirst(6)) : String(line)
      return try JSON.decode(Line.self, from: Array(json.utf8))
    }
  }

  /// Says something beside the stream.
  @discardableResult
  func say(_ commands: String, session: String? = nil, node: String? = nil) async throws
    -> TestReply
  {
    let reply = try await host.emulate(
      session: session ?? connected.session ?? "", node: node ?? connected.node ?? "", commands)
    try await host.settle()
    return reply
  }

  /// Sends a command and returns its reply.
  func ask(_ id: Int, _ request: String) async throws -> Line {
    let reply = try await say(#"{"id":\#(id),\#(request)}"#)
    #expect(reply.status == 204 && reply.body.isEmpty)
    return try #require(try await lines.last { $0.id == id })
  }

  @discardableResult
  func subscribe(_ channel: String, _ more: String = "", id: Int = 2) async throws -> Line {
    try await ask(id, #""subscribe":{"channel":"\#(channel)"\#(more)}"#)
  }

  /// The data of what was pushed.
  func heard(in channel: String) async throws -> [String] {
    try await lines.compactMap { $0.push?.channel == channel ? $0.push?.pub?.data.text : nil }
  }

  /// How the server has ended it; the answer has ended by then.
  func disconnected() async throws -> Line.Push.Disconnected {
    let reply = try await answer.reply()
    let pieces = TestPieces(
      status: reply.status, contentType: reply.contentType, headers: reply.headers, body: reply.body
    )
    return try #require(try Self.lines(in: pieces).last?.push?.disconnect)
  }
}

extension TestHost {
  /// What a client says beside its stream.
  func emulate(session: String, node: String, _ commands: String) async throws -> TestReply {
    let body = try JSON.encode(["session": session, "node": node, "data": commands])
    return try await request(
      "POST", "/emulation", body: String(decoding: body, as: UTF8.self))
  }

  /// Opens a stream whose request has not been looked at.
  func ask(
    for transport: String, _ commands: String, as principal: Principal = .user("alice")
  ) async throws -> PendingReply {
    guard transport == "sse" else {
      return try await begin("POST", "/connection/\(transport)", body: commands, as: principal)
    }
    let escaped = commands.utf8.map { "%" + String(UInt16($0) | 0x100, radix: 16).dropFirst() }
      .joined()
    return try await begin("GET", "/connection/sse?cf_connect=\(escaped)", as: principal)
  }

  /// A client of `sse` or `http_stream` that is connected.
  func stream(
    _ transport: String = "http_stream", as principal: Principal = .user("alice"),
    _ request: String = "{}"
  ) async throws -> StreamClient {
    let answer = try await ask(for: transport, #"{"id":1,"connect":\#(request)}"#, as: principal)
    try await settle()
    let pieces = try await answer.pieces { !$0.body.isEmpty }
    #expect(pieces.status == 200)
    let connected = try #require(try StreamClient.lines(in: pieces).first?.connect)
    return StreamClient(host: self, answer: answer, connected: connected)
  }

  /// Opens the stream without a protocol.
  func events(
    _ channels: String, after id: String? = nil, as principal: Principal = .user("alice")
  ) async throws -> EventReader {
    let answer = try await begin(
      "GET", "/connection/uni_sse?channels=\(channels)",
      headers: id.map { [("Last-Event-ID", $0)] } ?? [], as: principal)
    try await settle()
    try await answer.pieces { !$0.body.isEmpty }
    return EventReader(host: self, answer: answer)
  }
}

/// What an EventSource sees.
struct EventReader {
  struct Event: Equatable {
    var id: String?
    var name: String?
    var data: String
  }

  let host: TestHost
  let answer: PendingReply

  var events: [Event] {
    get async throws { Self.events(in: try await answer.pieces().text) }
  }

  /// As HTML §9.2.6 reads a stream.
  static func events(in text: String) -> [Event] {
    text.components(separatedBy: "\n\n").compactMap { block in
      var event = Event(data: "")
      var data: [Substring] = []
      for line in block.split(separator: "\n") {
        if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
        if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
        if line.hasPrefix("data: ") { data.append(line.dropFirst(6)) }
      }
      event.data = data.joined(separator: "\n")
      return data.isEmpty ? nil : event
    }
  }

  /// The events' own JSON, without the first, which says that the channels are live.
  func seen() async throws -> [Seen] {
    try await events.dropFirst().filter { $0.name == nil }.map {
      try JSON.decode(Seen.self, from: Array($0.data.utf8))
    }
  }
}

extension String {
  /// Without Foundation.
  fileprivate func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }
}
