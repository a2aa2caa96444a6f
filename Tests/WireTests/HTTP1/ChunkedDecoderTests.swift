import Testing
import Wire

/// Decodes `text` given in pieces of the lengths between the cuts.
func decodeChunked(
  _ text: String, cuts: [Int] = [], limits: ChunkedLimits = ChunkedLimits()
) -> (body: String, rest: Int, last: ChunkedEvent) {
  let all = Array(text.utf8)
  var decoder = ChunkedDecoder()
  var body: [UInt8] = []
  var start = 0
  for cut in cuts + [all.count] {
    let piece = Array(all[start..<cut])
    let (last, offset): (ChunkedEvent, Int) = piece.withUnsafeBytes { bytes in
      var offset = 0
      while true {
        let event = decoder.next(bytes, offset: &offset, limits: limits)
        guard case .data(let span) = event else { return (event, offset) }
        body += bytes[span.start..<span.end]
      }
    }
    if last != .needMore {
      return (String(decoding: body, as: UTF8.self), all.count - start - offset, last)
    }
    start = cut
  }
  return (String(decoding: body, as: UTF8.self), 0, .needMore)
}

@Suite struct `Chunked bodies` {
  static let valid: [(String, String)] = [
    // RFC 9112 §7.1
    ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
    ("5\r\nhello\r\n00006\r\n world\r\n000\r\n\r\n", "hello world"),
    ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
    // RFC 9112 §7.1.1
    ("1;a\r\nx\r\n0;b=c\r\n\r\n", "x"),
    ("1 \t; a=\"q\\\"uo;te\" ; b\r\nx\r\n0\r\n\r\n", "x"),
    // RFC 9112 §7.1.2
    ("1\r\nx\r\n0\r\nA: b\r\nContent-Lengths: 5\r\nC:\r\n\r\n", "x"),
    ("0\r\nHos: a\r\nhostess: a\r\nT: e\r\nTransfer-Encoding-: x\r\n\r\n", ""),
  ]

  @Test(arguments: valid)
  func `are decoded from input split anywhere`(text: String, body: String) {
    let whole = decodeChunked(text + "GET")
    #expect(whole.body == body && whole.last == .end && whole.rest == 3)
    let count = text.utf8.count
    for cut in 1..<count {
      let parts = decodeChunked(text, cuts: [cut])
      #expect(parts.body == body && parts.last == .end)
      let prefix = decodeChunked(String(decoding: Array(text.utf8)[..<cut], as: UTF8.self))
      #expect(prefix.last == .needMore)
    }
    let bytewise = decodeChunked(text, cuts: Array(1..<count))
    #expect(bytewise.body == body && bytewise.last == .end)
  }

  @Test(arguments: [
    ("0x5\r\nhello\r\n", HTTP1Error.invalidChunkSize), ("0_5\r\nhello\r\n", .invalidChunkSize),
    ("+5\r\nhello\r\n", .invalidChunkSize), ("-5\r\n", .invalidChunkSize),
    (" 5\r\nhello", .invalidChunkSize), ("\r\n", .invalidChunkSize), (";a\r\n", .invalidChunkSize),
    ("g\r\n", .invalidChunkSize), ("5\nhello", .bareLineFeed), ("5\rhello", .bareCarriageReturn),
    ("5 \r\nhello", .invalidChunkExtension), ("5 a\r\n", .invalidChunkExtension),
    ("8000000000000000\r\n", .chunkSizeTooLarge), ("ffffffffffffffff\r\n", .chunkSizeTooLarge),
    ("10000000000000000\r\n", .chunkSizeTooLarge), ("00000000000000005\r\n", .chunkSizeTooLarge),
    ("5\r\nhello0\r\n\r\n", .missingChunkEnd), ("5\r\nhello\n0\r\n", .missingChunkEnd),
    ("5\r\nhello\r0\r\n", .missingChunkEnd), ("5\r\nhell\r\n0\r\n", .missingChunkEnd),
    ("5;\r\nhello", .invalidChunkExtension), ("5;a=\r\nhello", .invalidChunkExtension),
    ("5;a\nhello", .bareLineFeed), ("5;a b\r\nhello", .invalidChunkExtension),
    ("5;a=\"b\r\n", .invalidChunkExtension), ("5;a=b\u{0}\r\n", .invalidChunkExtension),
    ("5;a=\"\\\u{1}\"\r\n", .invalidChunkExtension), ("5;a;\r\n", .invalidChunkExtension),
    ("5;a \r\nhello", .invalidChunkExtension),
    ("0\r\nA\r\n\r\n", .invalidTrailer), ("0\r\n A: b\r\n\r\n", .invalidTrailer),
    ("0\r\nA : b\r\n\r\n", .invalidTrailer), ("0\r\n: b\r\n\r\n", .invalidTrailer),
    ("0\r\nA: b\nC: d\r\n\r\n", .bareLineFeed), ("0\r\nA: b\u{0}\r\n\r\n", .invalidTrailer),
    ("0\r\nA: b\r\n c\r\n\r\n", .invalidTrailer), ("0\r\n\n", .bareLineFeed),
    ("0\r\nContent-Length: 5\r\n\r\n", .forbiddenTrailer),
    ("0\r\nA: b\r\nTRANSFER-ENCODING: chunked\r\n\r\n", .forbiddenTrailer),
    ("0\r\nhost:a\r\n\r\n", .forbiddenTrailer), ("0\r\nte:\r\n\r\n", .forbiddenTrailer),
    ("0\r\nKeep-Alive: x\r\n\r\n", .forbiddenTrailer),
    ("0\r\nProxy-Authorization: x\r\n\r\n", .forbiddenTrailer),
    ("0\r\nIf-Unmodified-Since: x\r\n\r\n", .forbiddenTrailer),
    ("0\r\nMax-Forwards: 1\r\n\r\n", .forbiddenTrailer),
    ("0\r\nA: b\rC", .bareCarriageReturn), ("0\r\n\rX", .bareCarriageReturn),
  ])
  func `that are malformed are refused wherever they are split, RFC 9112 §7.1`(
    text: String, error: HTTP1Error
  ) {
    #expect(decodeChunked(text).last == .invalid(error))
    let count = text.utf8.count
    for cut in 1..<count { #expect(decodeChunked(text, cuts: [cut]).last == .invalid(error)) }
    #expect(decodeChunked(text, cuts: Array(1..<count)).last == .invalid(error))
  }

  @Test func `a size is known before its data arrive`() {
    var decoder = ChunkedDecoder()
    withBytes("7fffffffffffffff\r\n") { bytes in
      var offset = 0
      let event = decoder.next(bytes, offset: &offset, limits: ChunkedLimits())
      #expect(event == .needMore)
    }
    #expect(decoder.remaining == .max)
  }

  @Test func `extensions are bounded over the whole body`() {
    let limits = ChunkedLimits(extensionBytes: 8)
    let chunk = "1;abc\r\nx\r\n"
    #expect(decodeChunked(chunk + chunk + "0\r\n\r\n", limits: limits).last == .end)
    #expect(
      decodeChunked(chunk + chunk + chunk, limits: limits).last
        == .invalid(.chunkExtensionsTooLarge))
  }

  @Test func `trailers are bounded`() {
    let limits = ChunkedLimits(trailerBytes: 8)
    #expect(decodeChunked("0\r\nA: b\r\n\r\n", limits: limits).last == .end)
    #expect(decodeChunked("0\r\nA: bc\r\n\r\n", limits: limits).last == .invalid(.trailersTooLarge))
  }

  @Test func `nothing is decoded after the end`() {
    var decoder = ChunkedDecoder()
    withBytes("0\r\n\r\n5\r\n") { bytes in
      var offset = 0
      let end = decoder.next(bytes, offset: &offset, limits: ChunkedLimits())
      let after = decoder.next(bytes, offset: &offset, limits: ChunkedLimits())
      #expect(end == .end && after == .invalid(.invalidChunkSize))
    }
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    var offset = 0
    let event = decoder.next(nothing, offset: &offset, limits: ChunkedLimits())
    #expect(event == .needMore)
  }

  @Test func `the decoder is small`() {
    #expect(MemoryLayout<ChunkedDecoder>.stride <= 24)
    #expect(MemoryLayout<HeaderField>.stride == 16)
  }
}
