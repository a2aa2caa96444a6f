import Wire

/// Sec-WebSocket-Extensions, one field a line: what is agreed on is what was offered, or less, and can be read again.
func fuzzExtensions(_ input: UnsafeRawBufferPointer) {
  let lines = input.split(separator: 0x0a, maxSplits: 20, omittingEmptySubsequences: false)
  withFields(lines.map(Array.init)) { head, fields, base, count in
    var offered: [DeflateOffer] = []
    var isMalformed = false
    var elements = 0
    var offers = ExtensionOffers(head, fields)
    reading: while true {
      elements += 1
      promise(elements <= count + 2, "the offers have an end")
      switch offers.next(in: base) {
      case .deflate(let offer): offered.append(offer)
      case .declined: continue
      case .malformed:
        isMalformed = true
        break reading
      case .end: break reading
      }
    }
    for offer in offered {
      for bits in [offer.serverMaxWindowBits, offer.clientMaxWindowBits] {
        promise((8...15).contains(bits ?? 8), "a window has a size that there is")
      }
    }
    guard !isMalformed else { return }
    for bits in 9...15 as ClosedRange<UInt8> {
      for keeps in [true, false] {
        let terms = DeflateTerms(allowsContextTakeover: keeps, contextWindowBits: bits)
        agree(head, fields, base, offered, terms)
      }
    }
  }
}

private func agree(
  _ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>, _ base: UnsafeRawPointer,
  _ offered: [DeflateOffer], _ terms: DeflateTerms
) {
  guard
    let agreed = DeflateParameters.negotiate(head, fields, in: base, terms: terms),
    let offer = offered.first(where: { DeflateParameters($0, terms) == agreed })
  else {
    return promise(
      offered.allSatisfy { DeflateParameters($0, terms) == nil }, "an offer that is good is taken")
  }
  promise((9...15).contains(agreed.serverMaxWindowBits), "zlib has such a window")
  promise((8...15).contains(agreed.clientMaxWindowBits), "and such")
  promise(agreed.serverMaxWindowBits <= offer.serverMaxWindowBits ?? 15, "no larger than asked for")
  promise(agreed.clientMaxWindowBits <= offer.clientMaxWindowBits ?? 15, "nor than offered")
  promise(agreed.serverNoContextTakeover || !offer.serverNoContextTakeover, "who asks is heard")
  promise(
    terms.allowsContextTakeover || agreed.clientNoContextTakeover, "no context is kept unasked")
  var answer = ByteWriter(growingFrom: 16)
  defer { answer.deallocate() }
  agreed.appendAnswer(to: &answer)
  promise(
    answer.count <= DeflateParameters.answerBytes, "the answer is as short as it is said to be")
  withFields([Array(answer.bytes)]) { head, fields, base, _ in
    var answers = ExtensionOffers(head, fields)
    guard case .deflate(let read) = answers.next(in: base), answers.next(in: base) == .end else {
      return promise(false, "the answer names one extension")
    }
    promise(
      read.serverMaxWindowBits ?? 15 == agreed.serverMaxWindowBits
        && read.serverNoContextTakeover == agreed.serverNoContextTakeover
        && read.clientNoContextTakeover == agreed.clientNoContextTakeover
        && (read.clientMaxWindowBits == nil || offer.clientMaxWindowBits != nil),
      "the answer says what is agreed on, of what the client knows")
  }
}

/// A head with a field Sec-WebSocket-Extensions for each of these values, if there can be one.
private func withFields(
  _ values: [[UInt8]],
  _ body: (
    RequestHead, UnsafeMutableBufferPointer<HeaderField>, UnsafeRawPointer, _ count: Int
  ) -> Void
) {
  var text = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8)
  for value in values { text += Array("Sec-WebSocket-Extensions: ".utf8) + value + [0x0d, 0x0a] }
  text += [0x0d, 0x0a]
  let fields = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: 100)
  defer { fields.deallocate() }
  text.withUnsafeBytes { bytes in
    var progress = HeadProgress()
    var head = RequestHead()
    let result = RequestHeadParser.parse(
      bytes, limits: RequestHeadLimits(), progress: &progress, head: &head, fields: fields)
    guard case .complete = result, let base = bytes.baseAddress else { return }
    body(head, fields, base, bytes.count)
  }
}
