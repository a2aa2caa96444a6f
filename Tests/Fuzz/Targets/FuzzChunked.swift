import Wire

private struct Body: Equatable {
  var data: [UInt8] = []
  var consumed = 0
  var isOver = false
  var isInvalid = false
}

/// Chunked bodies: the same data and the same end, whole or in pieces.
func fuzzChunked(_ input: UnsafeRawBufferPointer) {
  var pieces = Pieces(input)
  let whole = decode(input) { _ in input.count }
  let split = decode(input) { pieces.next($0) }
  promise(whole == split, "a body is the same whole and in pieces")
  promise(whole.data.count <= whole.consumed, "data is part of what was consumed")
}

private func decode(_ input: UnsafeRawBufferPointer, _ size: (Int) -> Int) -> Body {
  var body = Body()
  var decoder = ChunkedDecoder()
  while body.consumed < input.count {
    let end = min(body.consumed + size(input.count - body.consumed), input.count)
    let piece = Array(input[body.consumed..<end])
    var offset = 0
    var wantsMore = false
    while !wantsMore {
      let event = piece.withUnsafeBytes {
        decoder.next($0, offset: &offset, limits: ChunkedLimits())
      }
      promise(offset <= piece.count, "no more is consumed than has come")
      switch event {
      case .data(let span): body.data += piece[span.start..<span.end]
      case .needMore:
        promise(offset == piece.count, "everything is consumed before more is asked for")
        wantsMore = true
      case .end:
        body.consumed += offset
        body.isOver = true
        return body
      case .invalid:
        // How far a broken body was read depends on where it was split.
        body.isInvalid = true
        body.consumed = 0
        body.data = []
        return body
      }
    }
    body.consumed = end
  }
  return body
}
