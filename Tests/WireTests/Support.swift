import Wire

/// Calls `body` with the bytes of `text`.
func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
  try Array(text.utf8).withUnsafeBytes(body)
}

/// What `body` writes, as text.
func written(_ body: (inout ByteWriter) -> Void) -> String {
  var writer = ByteWriter(growingFrom: 16)
  defer { writer.deallocate() }
  body(&writer)
  return writer.text
}

/// What `body` writes, as bytes.
func writtenBytes(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
  var writer = ByteWriter(growingFrom: 16)
  defer { writer.deallocate() }
  body(&writer)
  return Array(writer.bytes)
}

/// Bytes of a text of pairs of hexadecimal digits, blanks ignored.
func bytes(hex text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }
  return stride(from: 0, to: digits.count, by: 2).map { index in
    let start = digits.index(digits.startIndex, offsetBy: index)
    return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16) ?? 0
  }
}

/// A head that was parsed, with copies of what it points into.
struct ParsedHead {
  var head = RequestHead()
  var fields: [HeaderField] = []
  var bytes: [UInt8] = []
  var consumed = 0

  func text(_ span: ByteSpan) -> String {
    String(decoding: bytes[span.start..<span.end], as: UTF8.self)
  }

  func value(_ id: HeaderID) -> String? {
    head.first(id).map { text(fields[$0].value) }
  }
}

enum Parsed {
  case complete(ParsedHead)
  case needMore
  case invalid(HTTP1Error)

  var error: HTTP1Error? {
    if case .invalid(let error) = self { error } else { nil }
  }

  var head: ParsedHead? {
    if case .complete(let head) = self { head } else { nil }
  }

  var needsMore: Bool {
    if case .needMore = self { true } else { false }
  }

  /// What two ways of feeding the same bytes must agree on.
  var summary: String {
    switch self {
    case .needMore: return "need more"
    case .invalid(let error): return "invalid \(error)"
    case .complete(let parsed):
      let fields = parsed.fields.map {
        "\(parsed.text($0.name))=\(parsed.text($0.value))#\($0.id)"
      }
      return """
        \(parsed.head.method) \(parsed.text(parsed.head.methodSpan)) \(parsed.text(parsed.head.target)) \
        \(parsed.text(parsed.head.path)) \(parsed.text(parsed.head.query)) \
        \(parsed.text(parsed.head.authority)) \(parsed.head.versionMinor) \(parsed.consumed) \
        \(parsed.head.contentLength) \(parsed.head.isChunked) \(parsed.head.keepAlive) \
        \(parsed.head.expectsContinue) \(parsed.head.wantsUpgradeWebSocket) \(fields)
        """
    }
  }
}

/// Parses what arrives in pieces that end at the given lengths; stops at the first final answer. Each
/// arrival lies in memory of exactly its size, so that reading past it is caught by a sanitizer.
func parse(
  _ text: String, arriving lengths: [Int]? = nil, limits: RequestHeadLimits = RequestHeadLimits(),
  capacity: Int = 128
) -> Parsed {
  let all = Array(text.utf8)
  let fields = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: capacity)
  defer { fields.deallocate() }
  var progress = HeadProgress()
  for length in lengths ?? [all.count] {
    let arrived = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
    defer { arrived.deallocate() }
    arrived.copyBytes(from: all[..<length])
    var parsed = ParsedHead()
    switch RequestHeadParser.parse(
      UnsafeRawBufferPointer(arrived), limits: limits, progress: &progress, head: &parsed.head,
      fields: fields)
    {
    case .needMore: continue
    case .invalid(let error): return .invalid(error)
    case .complete(let consumed):
      parsed.consumed = consumed
      parsed.bytes = all
      parsed.fields = Array(fields[..<parsed.head.fieldCount])
      return .complete(parsed)
    }
  }
  return .needMore
}
