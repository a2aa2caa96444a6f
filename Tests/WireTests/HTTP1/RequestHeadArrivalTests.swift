import Testing
import Wire

@Suite struct `Request heads that arrive in pieces` {
  static let samples = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /hello/swift?a=b HTTP/1.1\r\nHost: 127.0.0.1:9080\r\nA:\t b \r\nX-Long-Name: value\r\n\r\n",
    "POST http://b/ HTTP/1.1\r\nHost: c\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\nhello",
    "OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
  ]

  @Test(arguments: samples)
  func `every cut gives the same head`(text: String) throws {
    let whole = parse(text)
    let consumed = try #require(whole.head).consumed
    let count = text.utf8.count
    for cut in 1..<count {
      let alone = parse(text, arriving: [cut])
      #expect(alone.needsMore == (cut < consumed))
      #expect(parse(text, arriving: [cut, count]).summary == whole.summary)
      for second in cut..<count {
        #expect(parse(text, arriving: [cut, second, count]).summary == whole.summary)
      }
    }
    #expect(parse(text, arriving: Array(1...count)).summary == whole.summary)
  }

  @Test func `no bytes need more`() {
    #expect(parse("").needsMore)
  }

  @Test func `pipelined requests are taken one at a time`() throws {
    let one = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    let first = try #require(parse(one + one).head)
    #expect(first.consumed == one.utf8.count)
  }
}

@Suite struct `Limits of a request head` {
  let limits = RequestHeadLimits(headBytes: 128, targetBytes: 32, fields: 3)

  @Test func `a target over its limit is 414`() {
    let path = "/" + String(repeating: "a", count: 32)
    #expect(parse("GET \(path) HTTP/1.1\r\n", limits: limits).error == .targetTooLong)
    #expect(parse("GET \(path)", limits: limits).error == .targetTooLong)
    let fits = String(path.dropLast())
    #expect(parse("GET \(fits) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits).head != nil)
  }

  @Test func `a target that fills the head is 414 however it arrives`() {
    let wide = RequestHeadLimits(headBytes: 128, targetBytes: 4_096)
    let text = "GET /" + String(repeating: "a", count: 200)
    #expect(parse(text, limits: wide).error == .targetTooLong)
    #expect(parse(text, arriving: Array(1...200), limits: wide).error == .targetTooLong)
  }

  @Test func `a head over its limit is 431 however it arrives`() {
    let text = "GET / HTTP/1.1\r\nHost: a\r\nA: " + String(repeating: "b", count: 200)
    #expect(parse(text, limits: limits).error == .headTooLarge)
    #expect(parse(text, arriving: Array(1...200), limits: limits).error == .headTooLarge)
  }

  @Test func `a head of exactly the limit is whole`() {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nA: "
    let text = start + String(repeating: "b", count: 128 - start.utf8.count - 4) + "\r\n\r\n"
    #expect(parse(text + "next", limits: limits).head?.consumed == 128)
  }

  @Test func `too many fields are 431`() {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n"
    #expect(parse(start + "\r\n", limits: limits).head?.fields.count == 3)
    #expect(parse(start + "C: 3\r\n\r\n", limits: limits).error == .tooManyFields)
    #expect(parse(start + "\r\n", capacity: 2).error == .tooManyFields)
  }

  @Test func `limits are clamped to what the layout holds`() {
    let limits = RequestHeadLimits(headBytes: 1 << 20, targetBytes: -1, fields: 1_000)
    #expect(limits.headBytes == 65_535 && limits.targetBytes == 0 && limits.fields == 255)
  }
}
