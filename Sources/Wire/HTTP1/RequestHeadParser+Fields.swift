extension RequestHeadParser {
  /// The field lines up to and with the empty one, RFC 9112 §5. The answer is where the head ends.
  static func parseFields(
    _ p: UnsafeRawPointer, _ start: Int, _ end: Int, _ limits: RequestHeadLimits,
    _ head: inout RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>
  ) -> Advance {
    let capacity = min(fields.count, limits.fields)
    var count = 0
    var i = start
    while true {
      guard i < end else { return .more }
      if p.byte(i) == 0x0d {
        guard i &+ 1 < end else { return .more }
        guard p.byte(i &+ 1) == 0x0a else { return .invalid(.bareCarriageReturn) }
        head.fieldCount = count
        if let error = finish(&head) { return .invalid(error) }
        return .to(i &+ 2)
      }

      let nameStart = i
      i = skipName(p, i, end)
      guard i < end else { return .more }
      guard p.byte(i) == 0x3a else { return .invalid(nameError(p, nameStart, i)) }
      let nameLength = i &- nameStart
      let id = HeaderID.identify(p + nameStart, nameLength)
      if id == .other {
        guard nameLength > 0 else { return .invalid(.emptyFieldName) }
        guard isToken(p, nameStart, i) else { return .invalid(.invalidFieldName) }
      }
      i &+= 1

      // Nearly always one space, then the value.
      if i < end, p.byte(i) == 0x20 { i &+= 1 }
      if i < end, p.byte(i) <= 0x20 { i = skipBlanks(p, i, end) }
      let valueStart = i
      i = skipValue(p, i, end)
      guard i < end else { return .more }
      guard p.byte(i) == 0x0d else {
        return .invalid(p.byte(i) == 0x0a ? .bareLineFeed : .invalidFieldValue)
      }
      guard i &+ 1 < end else { return .more }
      guard p.byte(i &+ 1) == 0x0a else { return .invalid(.bareCarriageReturn) }
      var valueEnd = i
      if valueEnd > valueStart, p.byte(valueEnd &- 1) <= 0x20 {
        repeat { valueEnd &-= 1 } while valueEnd > valueStart && isBlank(p.byte(valueEnd &- 1))
      }
      i &+= 2

      guard count < capacity else { return .invalid(.tooManyFields) }
      let value = ByteSpan(from: valueStart, to: valueEnd)
      // The index is below `capacity`, which is at most the buffer's count.
      (fields.baseAddress! + count).initialize(
        to: HeaderField(nameOffset: nameStart, nameLength: nameLength, id: id, value: value))
      if id != .other {
        if let error = note(id, at: count, p, end, value, &head) { return .invalid(error) }
      }
      count &+= 1
    }
  }

  /// To the colon, or to what cannot stand in a name.
  @inline(__always)
  private static func skipName(_ p: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    var i = start
    while i &+ 16 <= end {
      let lanes = Lanes.load(p, i)
      let stop = (lanes.are(below: 0x21) .| lanes.are(0x3a)).first
      i &+= stop
      if stop < 16 { return i }
    }
    while i < end, p.byte(i) != 0x3a, p.byte(i) > 0x20 { i &+= 1 }
    return i
  }

  /// To the first byte that is no `field-vchar`, space or tab (RFC 9110 §5.5).
  @inline(__always)
  private static func skipValue(_ p: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    var i = start
    while i &+ 16 <= end {
      let lanes = Lanes.load(p, i)
      let stops = lanes.are(below: 0x20) .| lanes.are(0x7f)
      if stops.isClear {
        i &+= 16
        continue
      }
      i &+= stops.first
      if p.byte(i) != 0x09 { return i }
      i &+= 1
    }
    while i < end {
      let byte = p.byte(i)
      if byte < 0x20 && byte != 0x09 || byte == 0x7f { return i }
      i &+= 1
    }
    return i
  }

  @inline(never)
  private static func skipBlanks(_ p: UnsafeRawPointer, _ start: Int, _ end: Int) -> Int {
    var i = start
    while i < end, isBlank(p.byte(i)) { i &+= 1 }
    return i
  }

  @inline(never)
  private static func nameError(_ p: UnsafeRawPointer, _ start: Int, _ stop: Int) -> HTTP1Error {
    let byte = p.byte(stop)
    if stop == start {
      if isBlank(byte) { return .obsoleteLineFolding }
      return byte == 0x0a ? .bareLineFeed : .invalidFieldName
    }
    switch byte {
    case 0x0d: return .missingColon
    case 0x0a: return .bareLineFeed
    case 0x20, 0x09: return .spaceBeforeColon
    default: return .invalidFieldName
    }
  }

  static func isToken(_ p: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
    var i = start
    while i < end {
      if !CharacterClass.contains(p.byte(i), CharacterClass.token) { return false }
      i &+= 1
    }
    return start < end
  }

  @inline(__always)
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
