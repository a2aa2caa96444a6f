import Wire

/// What came of a head.
private struct Outcome: Equatable {
  var consumed = 0
  var needsMore = false
  var isInvalid = false
}

/// Request heads: the same whole or in pieces, and no span outside what was consumed.
func fuzzHTTP1(_ input: UnsafeRawBufferPointer) {
  let whole = parse(input, pieces: nil)
  var pieces = Pieces(input)
  let split = parse(input, pieces: &pieces)
  // A fault in the middle is seen at once in a head that has come whole, and else when its end has come.
  promise(
    whole == split || whole.isInvalid && split.needsMore,
    "a head is understood the same whole and in pieces: \(whole), \(split)")
}

private func parse(_ input: UnsafeRawBufferPointer, pieces: UnsafeMutablePointer<Pieces>?)
  -> Outcome
{
  let fields = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: 100)
  defer { fields.deallocate() }
  let limits = RequestHeadLimits(headBytes: 4_096, targetBytes: 1_024, fields: 100)
  var progress = HeadProgress()
  var head = RequestHead()
  var count = 0
  while true {
    count = pieces.map { count + $0.pointee.next(max(input.count - count, 1)) } ?? input.count
    count = min(count, input.count)
    // A copy of exactly what has come, so that a sanitizer sees a read beyond it.
    let arrived = Array(input.prefix(count))
    let outcome = arrived.withUnsafeBytes { bytes -> Outcome? in
      switch RequestHeadParser.parse(
        bytes, limits: limits, progress: &progress, head: &head, fields: fields)
      {
      case .complete(let consumed):
        check(head, fields, bytes, consumed)
        return Outcome(consumed: consumed)
      case .needMore: return count == input.count ? Outcome(needsMore: true) : nil
      case .invalid: return Outcome(isInvalid: true)
      }
    }
    if let outcome { return outcome }
  }
}

private func check(
  _ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>,
  _ bytes: UnsafeRawBufferPointer, _ consumed: Int
) {
  promise(consumed > 0 && consumed <= bytes.count, "no more is consumed than has come")
  var spans = [head.methodSpan, head.target, head.path, head.query, head.authority]
  for field in fields.prefix(head.fieldCount) { spans += [field.name, field.value] }
  promise(spans.allSatisfy { $0.end <= consumed }, "every span lies in the head")
  promise(!head.path.isEmpty, "there is a path")
  promise(!(head.isChunked && head.contentLength >= 0), "a body has one length")
  for field in fields.prefix(head.fieldCount) {
    let value = field.value.bytes(in: bytes.baseAddress!)
    promise(
      value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 },
      "a value has no control character")
  }
  _ = PathSegments.check(head.path, in: bytes.baseAddress!)
  _ = WebSocketHandshake.check(head, fields, in: bytes.baseAddress!)
  var offers = SubprotocolList(head, fields)
  while let offer = offers.next(in: bytes.baseAddress!) {
    promise(offer.end <= consumed, "an offered subprotocol lies in the head")
  }
}
