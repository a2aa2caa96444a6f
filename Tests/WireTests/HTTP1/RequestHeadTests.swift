import Testing
import Wire

@Suite struct `Request heads that are honoured` {
  @Test func `a plain request says what it asks for`() throws {
    let parsed = try #require(
      parse("GET /a/b?x=1&y HTTP/1.1\r\nHost: example.com:8080\r\nX-Other: 1\r\n\r\nrest").head)
    #expect(parsed.head.method == .get)
    #expect(parsed.text(parsed.head.methodSpan) == "GET")
    #expect(parsed.text(parsed.head.target) == "/a/b?x=1&y")
    #expect(parsed.text(parsed.head.path) == "/a/b")
    #expect(parsed.text(parsed.head.query) == "x=1&y")
    #expect(parsed.text(parsed.head.authority) == "example.com:8080")
    #expect(parsed.head.versionMinor == 1)
    #expect(parsed.head.contentLength == -1)
    #expect(parsed.head.keepAlive && !parsed.head.isChunked && !parsed.head.expectsContinue)
    #expect(!parsed.head.hasBody && parsed.head.hasQuery && parsed.head.isPathPlain)
    #expect(parsed.fields.count == 2)
    #expect(parsed.fields[1].id == .other && parsed.text(parsed.fields[1].name) == "X-Other")
    #expect(parsed.consumed == parsed.bytes.count - 4)
  }

  @Test(arguments: [
    ("GET", HTTPMethod.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("PATCH", .patch),
    ("DELETE", .delete), ("OPTIONS", .options), ("PROPFIND", .other), ("get", .other),
    ("GE", .other), ("M-SEARCH", .other), ("!#$%&'*+-.^_`|~", .other),
  ])
  func `methods are case-sensitive tokens, RFC 9110 §9.1`(name: String, method: HTTPMethod) throws {
    let parsed = try #require(parse("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n").head)
    #expect(parsed.head.method == method)
    #expect(parsed.text(parsed.head.methodSpan) == name)
    if method != .other { #expect(method.name.description == name) }
  }

  @Test(arguments: HeaderID.allCases)
  func `well-known fields are found in any case`(id: HeaderID) throws {
    let names: [HeaderID: (String, String)] = [
      .host: ("host", "a"), .contentLength: ("content-length", "0"),
      .transferEncoding: ("transfer-encoding", "chunked"), .connection: ("connection", "x"),
      .expect: ("expect", "100-continue"), .upgrade: ("upgrade", "h2c"),
      .authorization: ("authorization", "Bearer x"), .contentType: ("content-type", "a/b"),
      .origin: ("origin", "null"), .cookie: ("cookie", "a=b"), .accept: ("accept", "*/*"),
      .acceptEncoding: ("accept-encoding", "gzip"), .acceptLanguage: ("accept-language", "de"),
      .userAgent: ("user-agent", "x"), .referer: ("referer", "x"), .range: ("range", "bytes=0-"),
      .ifMatch: ("if-match", "*"), .ifNoneMatch: ("if-none-match", "*"),
      .ifModifiedSince: ("if-modified-since", "x"), .cacheControl: ("cache-control", "no-cache"),
      .contentEncoding: ("content-encoding", "gzip"), .forwarded: ("forwarded", "for=a"),
      .xForwardedFor: ("x-forwarded-for", "1.2.3.4"),
      .xForwardedProto: ("x-forwarded-proto", "https"), .xRequestID: ("x-request-id", "1"),
      .traceparent: ("traceparent", "00-1"), .tracestate: ("tracestate", "a=b"),
      .idempotencyKey: ("idempotency-key", "1"), .lastEventID: ("last-event-id", "1"),
      .accessControlRequestMethod: ("access-control-request-method", "PUT"),
      .accessControlRequestHeaders: ("access-control-request-headers", "a"),
      .secWebSocketKey: ("sec-websocket-key", "x"),
      .secWebSocketVersion: ("sec-websocket-version", "13"),
      .secWebSocketProtocol: ("sec-websocket-protocol", "a"),
      .secWebSocketExtensions: ("sec-websocket-extensions", "a"),
      .http2Settings: ("http2-settings", "a"),
    ]
    guard id != .other else { return }
    let (name, value) = try #require(names[id])
    for spelling in [name, name.uppercased(), name.prefix(1).uppercased() + name.dropFirst()] {
      let host = id == .host ? "" : "Host: a\r\n"
      let parsed = try #require(
        parse("GET / HTTP/1.1\r\n\(host)\(spelling): \(value)\r\n\r\n").head)
      #expect(parsed.value(id) == value)
      #expect(parsed.fields.last?.id == id)
    }
    // One letter off is another field, and CR never passes for the hyphen it resembles.
    let other = String(name.dropLast()) + "z"
    let parsed = try #require(parse("GET / HTTP/1.1\r\nHost: a\r\n\(other): 1\r\n\r\n").head)
    #expect(parsed.fields[1].id == .other)
    if name.contains("-") {
      let forged = name.replacing("-", with: "\r")
      #expect(parse("GET / HTTP/1.1\r\nHost: a\r\n\(forged): 1\r\n\r\n").error != nil)
    }
  }

  @Test(arguments: [
    // RFC 9110 §7.6.1, RFC 9112 §9.3
    ("1.1", "", true), ("1.1", "Connection: close\r\n", false),
    ("1.1", "Connection: foo, CLOSE\r\n", false), ("1.1", "Connection: keep-alive\r\n", true),
    ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
    ("1.1", "Connection: ,, x ,\t close\t,\r\n", false), ("1.1", "Connection:\r\n", true),
    ("1.1", "Connection: closed\r\n", true),
    ("1.0", "", false), ("1.0", "Connection: Keep-Alive\r\n", true),
    ("1.0", "Connection: keep-alive, close\r\n", false), ("1.9", "", true),
  ])
  func `the connection persists as the version and Connection say`(
    version: String, fields: String, keepAlive: Bool
  ) throws {
    let parsed = try #require(parse("GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n").head)
    #expect(parsed.head.keepAlive == keepAlive)
    #expect(parsed.head.versionMinor == (version == "1.0" ? 0 : 1))
  }

  @Test func `whitespace around a value is not part of it, RFC 9112 §5`() throws {
    let parsed = try #require(
      parse("GET / HTTP/1.1\r\nHost:a\r\nA: \t x \t y\t \r\nB:\r\nC:   \r\nD:é\u{80}\r\n\r\n").head)
    #expect(parsed.fields.map { parsed.text($0.value) } == ["a", "x \t y", "", "", "é\u{80}"])
  }

  @Test func `a tab may stand anywhere in a long value`() throws {
    for at in 0..<24 {
      var value = Array(repeating: Character("v"), count: 25)
      value[at] = "\t"
      let text = String(value)
      let parsed = try #require(parse("GET / HTTP/1.1\r\nHost: a\r\nA: \(text)\r\n\r\n").head)
      #expect(parsed.text(parsed.fields[1].value) == (at == 0 ? String(text.dropFirst()) : text))
    }
  }

  @Test func `an expectation of 100-continue is seen in any case, RFC 9110 §10.1.1`() throws {
    let request = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    let parsed = try #require(parse(request).head)
    #expect(parsed.head.expectsContinue && parsed.head.contentLength == 5 && parsed.head.hasBody)
    let old = try #require(parse(request.replacing("1.1", with: "1.0")).head)
    #expect(!old.head.expectsContinue)
    let list = try #require(parse(request.replacing("100-Continue", with: ", 100-continue,")).head)
    #expect(list.head.expectsContinue)
    let empty = try #require(parse(request.replacing("100-Continue", with: "")).head)
    #expect(!empty.head.expectsContinue)
  }

  @Test func `a chunked body is announced in any case, RFC 9112 §6.1`() throws {
    let parsed = try #require(
      parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ChunkeD\r\n\r\n").head)
    #expect(parsed.head.isChunked && parsed.head.hasBody && parsed.head.contentLength == -1)
  }

  @Test(arguments: [
    ("0", 0), ("007", 7), ("999999999999999999", 999_999_999_999_999_999),
    ("00000000000000000000000000000000042", 42),
  ])
  func `Content-Length is a decimal number, RFC 9110 §8.6`(text: String, value: Int64) throws {
    let parsed = try #require(
      parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(text)\r\n\r\n").head)
    #expect(parsed.head.contentLength == value)
  }

  @Test(arguments: [
    // target, path, query, authority: RFC 9112 §3.2.1, §3.2.2, §3.2.4
    ("GET", "/", "/", "", "h"),
    ("GET", "/?", "/", "", "h"),
    ("GET", "//a//b?/?", "//a//b", "/?", "h"),
    ("GET", "/%41.-_~!$&'()*+,;=:@|[]", "/%41.-_~!$&'()*+,;=:@|[]", "", "h"),
    ("GET", "/a?{}^|[]`\\", "/a", "{}^|[]`\\", "h"),
    ("OPTIONS", "*", "*", "", "h"),
    ("GET", "http://b.example:81/p?q", "/p", "q", "b.example:81"),
    ("GET", "HTTPS://b.example", "/", "", "b.example"),
    ("OPTIONS", "http://b.example?q=/", "/", "q=/", "b.example"),
    ("OPTIONS", "http://b.example", "/", "", "b.example"),
    ("OPTIONS", "http://b.example/", "/", "", "b.example"),
  ])
  func `targets are split by their form`(
    method: String, target: String, path: String, query: String, authority: String
  ) throws {
    let parsed = try #require(parse("\(method) \(target) HTTP/1.1\r\nHost: h\r\n\r\n").head)
    #expect(parsed.text(parsed.head.target) == target)
    #expect(parsed.text(parsed.head.path) == path)
    #expect(parsed.text(parsed.head.query) == query)
    #expect(parsed.head.hasQuery == target.contains("?"))
    #expect(parsed.text(parsed.head.authority) == authority)
    #expect(parsed.head.isAbsoluteForm == target.lowercased().hasPrefix("http"))
    #expect(parsed.head.isPathPlain == !(path.contains("%") || path.contains(".")))
    #expect(parsed.head.isForHTTPS == target.lowercased().hasPrefix("https"))
    #expect(parsed.head.isAboutServer == ["*", "http://b.example"].contains(target))
  }

  @Test(arguments: [
    "a", "a.b-c_d~e", "1.2.3.4:65535", "[::1]", "[::ffff:1.2.3.4]:80", "a:", "A!$&'()*+;=",
    "[::]", "[1::]", "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]", "[::2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:0.0.0.255]", "[ABCD:ef01::]",
  ])
  func `hosts are names or addresses with an optional port, RFC 9110 §7.2`(host: String) throws {
    let parsed = try #require(parse("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").head)
    #expect(parsed.text(parsed.head.authority) == host)
    #expect(withBytes(host) { HostSyntax.isAuthority($0) })
  }

  @Test(arguments: [
    "[1::2::3]", "[:::]", "[::::::]", "[12345::]", "[....::]", "[1.2::]", "[::1.2.3.4.5]",
    "[1:2:3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[::1:2:3:4:5:6:7:8]", "[1:]", "[:1]",
    "[::256.1.1.1]", "[::01.1.1.1]", "[::1.2.3]", "[1.2.3.4]", "[]", "[:]", "[::1", "[v1.a]",
    "[1:2:3:4:5:6:7:1.2.3.4]", "[::1.2.3.]", "[::.1.2.3]",
  ])
  func `brackets are for addresses of eight groups, RFC 3986 §3.2.2`(host: String) {
    #expect(parse("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").head == nil)
    #expect(!withBytes(host) { HostSyntax.isAuthority($0) })
  }

  @Test func `HTTP/1.0 needs no Host`() throws {
    let parsed = try #require(parse("GET / HTTP/1.0\r\n\r\n").head)
    #expect(parsed.head.authority.isEmpty)
  }

  @Test func `one empty line before the request line is skipped, RFC 9112 §2.2`() throws {
    let parsed = try #require(parse("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").head)
    #expect(parsed.consumed == parsed.bytes.count)
  }

  @Test(arguments: [
    ("Connection: Upgrade\r\nUpgrade: WebSocket\r\n", true),
    ("Connection: keep-alive, upgrade\r\nUpgrade: h2c, websocket\r\n", true),
    ("Upgrade: websocket\r\n", false), ("Connection: upgrade\r\nUpgrade: h2c\r\n", false),
  ])
  func `an upgrade counts when Connection names it, RFC 9110 §7.8`(
    fields: String, wanted: Bool
  ) throws {
    let parsed = try #require(parse("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n").head)
    #expect(parsed.head.wantsUpgradeWebSocket == wanted)
    // What follows may be frames, so no request follows.
    #expect(parsed.head.keepAlive == !wanted)
    let old = try #require(parse("GET / HTTP/1.0\r\nHost: a\r\n\(fields)\r\n").head)
    #expect(!old.head.wantsUpgradeWebSocket)
  }
}
