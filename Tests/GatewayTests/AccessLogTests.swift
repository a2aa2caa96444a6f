import EventLoop
import Foundation
import Testing
import Wire

@testable import Gateway

@Suite struct `The access log` {
  struct Line: Decodable, Equatable {
    var time: String
    var kind: String
    var requestId: String
    var tenant: String
    var method: String
    var path: String
    var status: Int
    var bytes: Int
    var durationUs: Int
    var peer: String
    var principal: String?
    var client: String?
    var traceId: String?
  }

  let folder: ScratchFolder
  let path: String
  let writer: LogWriter

  init() throws {
    folder = try ScratchFolder()
    path = folder.path + "access.log"
    writer = try LogWriter(path: path)
  }

  /// Everything that was logged, after the log is closed.
  func lines(_ log: inout AccessLog) throws -> [Line] {
    #expect(log.flush() == 0)
    log.destroy()
    writer.close()
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try String(contentsOfFile: path, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map { try decoder.decode(Line.self, from: Data($0.utf8)) }
  }

  static func add(
    to log: inout AccessLog, method: String = "GET", path: String = "/", status: Int = 200,
    sent: Int = 0, microseconds: Int = 0, peer: PeerAddress = PeerAddress(192, 0, 2, 7),
    principal: String = "", client: String = "", trace: String = "", tenant: String = "app",
    id: String = "req"
  ) -> Int {
    withBytes("2026-01-02T03:04:05.678Z") { time in
      withBytes(id) { id in
        withBytes(tenant) { tenant in
          withBytes(method) { method in
            withBytes(path) { path in
              withBytes(principal) { principal in
                withBytes(client) { client in
                  withBytes(trace) { trace in
                    withUnsafePointer(to: client) { client in
                      log.add(
                        .init(
                          time: time.baseAddress!, requestID: id, tenant: tenant, method: method,
                          path: path, status: status, sent: sent, microseconds: microseconds,
                          peer: PeerText(address: peer), principal: principal, client: client,
                          trace: trace))
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  @Test func `has one line of JSON for each request`() throws {
    var log = AccessLog(writer: writer)
    #expect(log.isOn)
    #expect(
      Self.add(
        to: &log, method: "POST", path: "/v1/things/7", status: 201, sent: 1_234,
        microseconds: 56, principal: "user:ann", trace: "4bf92f3577b34da6a3ce929d0e0e4736") == 0)
    #expect(Self.add(to: &log) == 0)
    let lines = try lines(&log)
    #expect(
      lines.first
        == Line(
          time: "2026-01-02T03:04:05.678Z", kind: "access", requestId: "req", tenant: "app",
          method: "POST", path: "/v1/things/7", status: 201, bytes: 1_234, durationUs: 56,
          peer: "192.0.2.7", principal: "user:ann", traceId: "4bf92f3577b34da6a3ce929d0e0e4736"))
    #expect(lines.count == 2)
    #expect(lines.last?.principal == nil && lines.last?.traceId == nil)
  }

  /// The path of a request whose path has the byte, if the codec lets it in.
  static func path(with byte: UInt8) -> String? {
    let request = Array("GET /a".utf8) + [byte] + Array("b HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    let fields = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: 8)
    defer { fields.deallocate() }
    return request.withUnsafeBytes { bytes in
      var head = RequestHead()
      var progress = HeadProgress()
      let outcome = RequestHeadParser.parse(
        bytes, limits: RequestHeadLimits(), progress: &progress, head: &head, fields: fields)
      guard case .complete = outcome else { return nil }
      return head.path.text(in: bytes.baseAddress!)
    }
  }

  @Test func `is JSON whatever path the codec lets in`() throws {
    var log = AccessLog(writer: writer)
    let paths = (0...255).compactMap { Self.path(with: $0) }
    #expect(paths.count > 70)
    for path in paths { #expect(Self.add(to: &log, path: path) == 0) }
    #expect(try lines(&log).map(\.path) == paths)
  }

  @Test func `is JSON whatever a principal is called`() throws {
    var log = AccessLog(writer: writer)
    let names = [
      "\"", "\\", "\"},{\"status\":200", "a\nb\r\t\0\u{1f}\u{7f}", "é – 漢字 🦀", "\u{2028}",
      String(repeating: "\0", count: 5_000), String(repeating: "\"", count: 5_000),
    ]
    let clients = names.map { String($0.prefix(AccessLog.longestClient)) }
    for (name, client) in zip(names, clients) {
      #expect(Self.add(to: &log, principal: name, client: client) == 0)
    }
    let lines = try lines(&log)
    #expect(lines.map(\.principal) == names)
    #expect(lines.map(\.client) == clients)
  }

  @Test func `has room for the largest numbers and addresses`() throws {
    var log = AccessLog(writer: writer)
    let peer = PeerAddress(bytes: [0x20, 0x01] + [UInt8](repeating: 0xdd, count: 14))
    #expect(
      Self.add(
        to: &log, method: String(repeating: "M", count: 300), status: .max, sent: .max,
        microseconds: .max, peer: peer, id: String(repeating: "i", count: 64)) == 0)
    #expect(Self.add(to: &log, peer: PeerAddress(0, 0, 0, 0)) == 0)
    #expect(Self.add(to: &log, peer: .unknown) == 0)
    let lines = try lines(&log)
    #expect(lines[0].status == .max && lines[0].bytes == .max && lines[0].durationUs == .max)
    #expect(lines[0].peer == "2001:dddd:dddd:dddd:dddd:dddd:dddd:dddd")
    #expect(lines[1].peer == "0.0.0.0")
    #expect(lines[2].peer == "::")
  }

  @Test func `shows each line its own peer`() throws {
    var log = AccessLog(writer: writer)
    let peers = [(10, 1), (10, 1), (10, 2), (11, 2), (10, 1)] as [(UInt8, UInt8)]
    for (a, d) in peers { #expect(Self.add(to: &log, peer: PeerAddress(a, 0, 0, d)) == 0) }
    #expect(
      try lines(&log).map(\.peer) == ["10.0.0.1", "10.0.0.1", "10.0.0.2", "11.0.0.2", "10.0.0.1"])
  }

  @Test func `goes through a bounded buffer without losing a line`() throws {
    var log = AccessLog(writer: writer)
    let path = "/" + String(repeating: "p", count: 8_000)
    for number in 0..<100 { #expect(Self.add(to: &log, path: path, status: number) == 0) }
    let lines = try lines(&log)
    #expect(lines.map(\.status) == Array(0..<100))
    #expect(lines.allSatisfy { $0.path == path })
  }

  @Test func `drops a line that fits no buffer, says so, and goes on`() throws {
    var log = AccessLog(writer: writer)
    #expect(Self.add(to: &log, path: "/1") == 0)
    #expect(Self.add(to: &log, principal: String(repeating: "x", count: AccessLog.capacity)) == 1)
    #expect(Self.add(to: &log, path: "/2") == 0)
    #expect(try lines(&log).map(\.path) == ["/1", "/2"])
  }

  @Test func `that nobody keeps is off`() {
    var log = AccessLog(writer: nil)
    defer {
      log.destroy()
      writer.close()
    }
    #expect(!log.isOn)
    #expect(log.flush() == 0)
  }
}
