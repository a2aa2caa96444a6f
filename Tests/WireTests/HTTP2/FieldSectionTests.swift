import Testing
import Wire

/// What a field section says, with copies of what it points into.
struct ReadSection {
  var head: RequestHead
  var fields: [String]
  var error: FieldSectionError?
  private var bytes: [UInt8]

  init(
    _ lines: [(String, String)], _ kind: FieldSectionReader.Kind = .request,
    endsStream: Bool = true,
    limits: RequestHeadLimits = RequestHeadLimits()
  ) {
    var reader = FieldSectionReader(limits: limits)
    reader.begin(kind)
    defer { reader.release() }
    for (name, value) in lines {
      // Latin-1, so that every byte can be written.
      let name = name.unicodeScalars.map { UInt8($0.value) }
      let value = value.unicodeScalars.map { UInt8($0.value) }
      name.withUnsafeBytes { name in value.withUnsafeBytes { reader.add(name, $0) } }
    }
    error = reader.finish(endsStream: endsStream)
    head = reader.head
    let base = reader.base
    fields = (0..<head.fieldCount).map {
      let field = reader.fieldMemory[$0]
      return "\(field.name.text(in: base))=\(field.value.text(in: base))"
    }
    bytes = Array(UnsafeRawBufferPointer(start: base, count: reader.byteCount))
  }

  func text(_ span: ByteSpan) -> String {
    String(decoding: bytes[span.start..<span.end], as: UTF8.self)
  }
}

/// The pseudo-header fields of a usual request, and others in place of some, or none.
private func request(
  _ changes: [String: String?] = [:], _ fields: [(String, String)] = []
) -> [(String, String)] {
  let usual = [
    (":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/x"),
  ]
  var lines: [(String, String)] = []
  for (name, value) in usual {
    guard let change = changes[name] else {
      lines.append((name, value))
      continue
    }
    if let change { lines.append((name, change)) }
  }
  for (name, value) in changes where !usual.contains(where: { $0.0 == name }) {
    if let value { lines.append((name, value)) }
  }
  return lines + fields
}

struct SectionRefusal: CustomTestStringConvertible, Sendable {
  var lines: [(String, String)]
  var error: FieldSectionError
  var rule: String
  var endsStream: Bool

  init(
    _ changes: [String: String?], _ fields: [(String, String)],
    _ error: FieldSectionError, _ rule: String, endsStream: Bool = true
  ) {
    self.init(request(changes, fields), error, rule, endsStream: endsStream)
  }

  init(
    _ lines: [(String, String)], _ error: FieldSectionError, _ rule: String, endsStream: Bool = true
  ) {
    (self.lines, self.error, self.rule, self.endsStream) = (lines, error, rule, endsStream)
  }

  var testDescription: String { "\(rule): \(lines)" }

  static let all: [SectionRefusal] = [
    SectionRefusal([:], [("Accept", "a")], .upperCaseName, "9113 §8.2.1"),
    SectionRefusal([:], [("a b", "c")], .http(.invalidFieldName), "9113 §8.2.1"),
    SectionRefusal([:], [("a:b", "c")], .http(.invalidFieldName), "9113 §8.2.1"),
    SectionRefusal([:], [("a\u{e9}", "c")], .http(.invalidFieldName), "9113 §8.2.1"),
    SectionRefusal([:], [("a\u{0}", "c")], .http(.invalidFieldName), "9113 §8.2.1"),
    SectionRefusal([:], [("", "c")], .http(.emptyFieldName), "9110 §5.1"),
    SectionRefusal([:], [("a", "b\u{0}")], .http(.invalidFieldValue), "9113 §8.2.1"),
    SectionRefusal([:], [("a", "b\nc")], .http(.invalidFieldValue), "9113 §8.2.1"),
    SectionRefusal([:], [("a", "b\rc")], .http(.invalidFieldValue), "9113 §8.2.1"),
    SectionRefusal([:], [("a", "b\u{7f}")], .http(.invalidFieldValue), "9110 §5.5"),
    SectionRefusal([:], [("a", " b")], .http(.invalidFieldValue), "9113 §8.2.1"),
    SectionRefusal([:], [("a", "b\t")], .http(.invalidFieldValue), "9113 §8.2.1"),

    SectionRefusal([:], [("connection", "close")], .connectionSpecificField, "9113 §8.2.2"),
    SectionRefusal([:], [("keep-alive", "5")], .connectionSpecificField, "9113 §8.2.2"),
    SectionRefusal([:], [("proxy-connection", "close")], .connectionSpecificField, "9113 §8.2.2"),
    SectionRefusal(
      [:], [("transfer-encoding", "chunked")], .connectionSpecificField, "9113 §8.2.2"),
    SectionRefusal([:], [("upgrade", "websocket")], .connectionSpecificField, "9113 §8.2.2"),
    SectionRefusal([:], [("te", "gzip")], .invalidTE, "9113 §8.2.2"),
    SectionRefusal([:], [("te", "trailers, gzip")], .invalidTE, "9113 §8.2.2"),

    SectionRefusal([:], [("a", "b"), (":path", "/y")], .pseudoHeaderAfterField, "9113 §8.3"),
    SectionRefusal([":status": "200"], [], .unknownPseudoHeader, "9113 §8.3"),
    SectionRefusal([":x": "y"], [], .unknownPseudoHeader, "9113 §8.3"),
    SectionRefusal([":Path": "/"], [], .unknownPseudoHeader, "9113 §8.3"),
    SectionRefusal([":": "/"], [], .unknownPseudoHeader, "9113 §8.3"),
    SectionRefusal(request() + [(":path", "/x")], .duplicatePseudoHeader, "9113 §8.3"),
    SectionRefusal(request() + [(":method", "GET")], .duplicatePseudoHeader, "9113 §8.3"),
    SectionRefusal([":method": nil], [], .missingPseudoHeader, "9113 §8.3.1"),
    SectionRefusal([":scheme": nil], [], .missingPseudoHeader, "9113 §8.3.1"),
    SectionRefusal([":path": nil], [], .missingPseudoHeader, "9113 §8.3.1"),
    SectionRefusal([":path": ""], [], .invalidPath, "9113 §8.3.1"),
    SectionRefusal([":path": "x"], [], .invalidPath, "9113 §8.3.1"),
    SectionRefusal([":path": "http://a.example/x"], [], .invalidPath, "9113 §8.3.1"),
    SectionRefusal([":path": "*"], [], .invalidPath, "9113 §8.3.1"),
    SectionRefusal([":path": "/a b"], [], .http(.invalidTarget), "3986 §3.3"),
    SectionRefusal([":path": "/a\tb"], [], .http(.invalidTarget), "3986 §3.3"),
    SectionRefusal([":path": "/a\"b"], [], .http(.invalidTarget), "3986 §3.3"),
    SectionRefusal([":path": "/\u{e9}"], [], .http(.invalidTarget), "3986 §3.3"),
    SectionRefusal([":path": "/a?b<c"], [], .http(.invalidTarget), "3986 §3.4"),
    SectionRefusal([":path": "/a#b"], [], .http(.fragmentInTarget), "9113 §8.3.1"),
    SectionRefusal([":path": "/a?b#c"], [], .http(.fragmentInTarget), "9113 §8.3.1"),
    SectionRefusal([":path": "/a\r\nx: y"], [], .http(.invalidFieldValue), "9113 §8.2.1"),
    SectionRefusal([":method": "G T"], [], .http(.invalidMethod), "9110 §9.1"),
    SectionRefusal([":method": ""], [], .http(.invalidMethod), "9110 §9.1"),
    SectionRefusal(
      [":method": String(repeating: "A", count: 33)], [], .http(.methodTooLong), "9110 §9.1"),
    SectionRefusal([":scheme": "ftp"], [], .unknownScheme, "9113 §8.3.1"),
    SectionRefusal([":scheme": ""], [], .unknownScheme, "9113 §8.3.1"),

    SectionRefusal([":authority": nil], [], .missingAuthority, "9113 §8.3.1"),
    SectionRefusal([":authority": ""], [], .http(.invalidHost), "9113 §8.3.1"),
    SectionRefusal([":authority": "me@a.example"], [], .http(.invalidHost), "9113 §8.3.1"),
    SectionRefusal([":authority": "a.example:99999"], [], .http(.invalidHost), "9110 §7.2"),
    SectionRefusal([":authority": "a,b"], [], .http(.invalidHost), "9110 §7.2"),
    SectionRefusal([:], [("host", "b.example")], .hostDiffers, "9113 §8.3.1"),
    SectionRefusal(
      [:], [("host", "a.example"), ("host", "a.example")], .http(.duplicateHost), "9110 §7.2"),
    SectionRefusal([":authority": nil], [("host", "a b")], .http(.invalidHost), "9110 §7.2"),

    SectionRefusal([:], [("content-length", "1")], .contentLengthMismatch, "9113 §8.1.1"),
    SectionRefusal([:], [("content-length", "-1")], .http(.invalidContentLength), "9110 §8.6"),
    SectionRefusal(
      [:], [("content-length", "1"), ("content-length", "1")], .http(.duplicateContentLength),
      "9110 §8.6", endsStream: false),
    SectionRefusal([:], [("expect", "200-ok")], .http(.unsupportedExpectation), "9110 §10.1.1"),
    SectionRefusal(
      [:], [("authorization", "a"), ("authorization", "b")], .http(.duplicateField), "9110 §5.3"),

    SectionRefusal([":method": "CONNECT"], [], .invalidConnect, "9113 §8.5"),
    SectionRefusal(
      [":method": "CONNECT", ":scheme": nil, ":path": nil], [], .http(.connectNotSupported),
      "9113 §8.5"),
    SectionRefusal(
      [":method": "CONNECT", ":scheme": nil, ":path": nil, ":authority": nil], [],
      .missingAuthority,
      "9113 §8.5"),
    SectionRefusal([":protocol": "websocket"], [], .protocolWithoutConnect, "8441 §4"),
    SectionRefusal(
      [":method": "CONNECT", ":protocol": "connect-udp"], [], .unknownProtocol, "8441 §4",
      endsStream: false),
    SectionRefusal(
      [":method": "CONNECT", ":protocol": "websocket", ":path": nil], [], .missingPseudoHeader,
      "8441 §4", endsStream: false),
    SectionRefusal(
      [":method": "CONNECT", ":protocol": "websocket"], [], .contentLengthMismatch, "8441 §5"),
  ]
}

@Suite struct `Field section of an HTTP/2 request` {
  @Test func `becomes the head that HTTP/1 would have given`() throws {
    let section = ReadSection(
      request(
        [":method": "POST", ":path": "/a/b?c=d"],
        [("content-type", "text/plain"), ("x-own", "1"), ("content-length", "3")]),
      endsStream: false)
    #expect(section.error == nil)
    #expect(section.head.method == .post)
    #expect(section.text(section.head.methodSpan) == "POST")
    #expect(section.text(section.head.target) == "/a/b?c=d")
    #expect(section.text(section.head.path) == "/a/b")
    #expect(section.text(section.head.query) == "c=d")
    #expect(section.text(section.head.authority) == "a.example")
    #expect(section.head.isPathPlain)
    #expect(section.head.contentLength == 3)
    #expect(section.head.hasBody)
    #expect(!section.head.isChunked)
    #expect(section.head.keepAlive)
    #expect(
      section.fields == [
        "content-type=text/plain", "x-own=1", "content-length=3", "host=a.example",
      ])
    #expect(section.head.first(.contentType) == 0)
    #expect(section.head.first(.host) == 3)
  }

  @Test func `without an end has a body of unknown length`() {
    let section = ReadSection(request([":method": "POST"]), endsStream: false)
    #expect(section.head.hasBody)
    #expect(section.head.contentLength == -1)
    #expect(!ReadSection(request()).head.hasBody)
  }

  @Test func `may name the host in either field or in both alike`() {
    let host = ReadSection(request([":authority": nil], [("host", "b.example:80")]))
    #expect(host.error == nil)
    #expect(host.text(host.head.authority) == "b.example:80")
    let both = ReadSection(request([:], [("host", "A.EXAMPLE")]))
    #expect(both.error == nil)
    #expect(both.text(both.head.authority) == "a.example")
    #expect(both.fields == ["host=A.EXAMPLE"])
  }

  @Test func `asks for the server itself with an asterisk and OPTIONS`() {
    let section = ReadSection(request([":method": "OPTIONS", ":path": "*"]))
    #expect(section.error == nil)
    #expect(section.text(section.head.path) == "*")
  }

  // RFC 9113 §8.2.3
  @Test func `has its cookie put together from crumbs`() {
    let section = ReadSection(
      request([:], [("cookie", "a=b"), ("accept", "x"), ("cookie", "c=d"), ("cookie", "e=f")]))
    #expect(section.fields == ["cookie=a=b; c=d; e=f", "accept=x", "host=a.example"])
    #expect(section.head.first(.cookie) == 0)
    #expect(section.head.first(.accept) == 1)
    #expect(section.head.first(.host) == 2)
  }

  @Test(arguments: [":method", ":scheme", ":authority", ":path"])
  func `does not hold a pseudo-header field that is too large`(name: String) {
    var reader = FieldSectionReader(limits: RequestHeadLimits(headBytes: 500, targetBytes: 10_000))
    reader.begin(.request)
    defer { reader.release() }
    Array(name.utf8).withUnsafeBytes { name in
      Array(repeating: UInt8(0x2f), count: 5_000).withUnsafeBytes { reader.add(name, $0) }
    }
    #expect(reader.error == .http(.headTooLarge))
    #expect(reader.byteCount == 0)
  }

  @Test func `has one cookie though its first crumbs are empty`() {
    let section = ReadSection(request([:], [("cookie", ""), ("cookie", ""), ("cookie", "a=b")]))
    #expect(section.fields == ["cookie=; ; a=b", "host=a.example"])
    #expect(section.head.first(.cookie) == 0)
  }

  @Test func `may say that trailers are welcome`() {
    #expect(ReadSection(request([:], [("te", "trailers")])).error == nil)
  }

  @Test func `waits for a go-ahead when it says so`() {
    let section = ReadSection(
      request([":method": "PUT"], [("expect", "100-continue")]), endsStream: false)
    #expect(section.head.expectsContinue)
  }

  // RFC 8441 §4
  @Test func `opens a WebSocket with an extended CONNECT`() {
    let section = ReadSection(
      request([":method": "CONNECT", ":protocol": "websocket"], [("sec-websocket-version", "13")]),
      endsStream: false)
    #expect(section.error == nil)
    #expect(section.head.method == .get)
    #expect(section.text(section.head.methodSpan) == "CONNECT")
    #expect(section.head.wantsUpgradeWebSocket)
    #expect(!section.head.hasBody)
  }

  @Test(arguments: SectionRefusal.all) func `is refused`(row: SectionRefusal) {
    let section = ReadSection(row.lines, endsStream: row.endsStream)
    #expect(section.error == row.error)
    #expect(section.head.fieldCount == 0)
  }

  @Test func `is refused when it is too large, without being kept`() {
    let limits = RequestHeadLimits(headBytes: 1_000, targetBytes: 100, fields: 5)
    let long = String(repeating: "a", count: 2_000)
    #expect(
      ReadSection(request([:], [("a", long)]), limits: limits).error == .http(.headTooLarge))
    #expect(
      ReadSection(request([":path": "/" + long]), limits: limits).error == .http(.targetTooLong))
    let many = (0..<6).map { ("a\($0)", "b") }
    #expect(ReadSection(request([:], many), limits: limits).error == .http(.tooManyFields))

    var reader = FieldSectionReader(limits: limits)
    reader.begin(.request)
    defer { reader.release() }
    withBytes("name") { name in
      withBytes(long) { value in for _ in 0..<100 { reader.add(name, value) } }
    }
    #expect(reader.listBytes == 100 * 2_036)
    #expect(reader.byteCount < 1_000)
  }

  @Test func `holds as many fields as its limit`() {
    let many = (0..<99).map { ("a\($0)", "b\($0)") }
    let section = ReadSection(request([:], many))
    #expect(section.error == nil)
    #expect(section.fields.count == 100)
    #expect(section.fields[98] == "a98=b98")
  }
}

@Suite struct `Trailers of an HTTP/2 request` {
  @Test func `are checked and left out`() {
    #expect(ReadSection([("x-sum", "1")], .trailers).error == nil)
    #expect(ReadSection([(":path", "/")], .trailers).error == .pseudoHeaderInTrailers)
    #expect(ReadSection([("X-Sum", "1")], .trailers).error == .upperCaseName)
    #expect(ReadSection([("connection", "close")], .trailers).error == .connectionSpecificField)
  }

  // RFC 9113 §8.1
  @Test func `end the stream`() {
    #expect(
      ReadSection([("x-sum", "1")], .trailers, endsStream: false).error == .trailersWithoutEnd)
  }
}
