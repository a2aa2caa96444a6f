extension JSONScanner {
  /// A string or key from its opening quote, RFC 8259 §7.
  mutating func string(_ tape: inout JSONTape) -> JSONError.Reason? {
    guard tape.count < limits.nodes else { return .tooManyValues }
    i &+= 1
    let start = i
    var hasEscapes = false
    while true {
      while i &+ 16 <= end {
        let lanes = Lanes.load(p, i)
        let stop =
          (lanes.are(below: 0x20) .| lanes.are(0x22) .| lanes.are(0x5c)
          .| lanes.are(from: 0x80, through: 0xff)).first
        i &+= stop
        if stop < 16 { break }
      }
      guard i < end else { return .unexpectedEnd }
      let byte = p.byte(i)
      switch byte {
      case 0x22:
        tape.append(
          JSONNode(
            start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: i),
            next: UInt32(truncatingIfNeeded: tape.count &+ 1), kind: .string,
            hasEscapes: hasEscapes, count: 0))
        i &+= 1
        return nil
      case 0x5c:
        hasEscapes = true
        if let error = escape() { return error }
      case 0x00..<0x20: return .controlCharacter
      case 0x80...0xff: if let error = character() { return error }
      default: i &+= 1
      }
    }
  }

  /// Characters outside ASCII, up to the next byte inside it.
  private mutating func character() -> JSONError.Reason? {
    var stop = i
    while stop < end, p.byte(stop) >= 0x80 { stop &+= 1 }
    var text = UTF8Validator()
    var invalid = 0
    let bytes = UnsafeRawBufferPointer(start: p + i, count: stop &- i)
    guard text.consume(bytes, firstInvalid: &invalid) else {
      i &+= invalid
      return .invalidUTF8
    }
    i = stop
    if text.isComplete { return nil }
    return stop == end ? .unexpectedEnd : .invalidUTF8
  }

  private mutating func escape() -> JSONError.Reason? {
    guard i &+ 1 < end else {
      i = end
      return .unexpectedEnd
    }
    switch p.byte(i &+ 1) {
    case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74:
      i &+= 2
      return nil
    case 0x75:
      break
    default: return .invalidEscape
    }
    let first: UInt32
    switch codeUnit(at: i &+ 2) {
    case .success(let unit): first = unit
    case .failure(let error): return error.reason
    }
    guard first & 0xf800 == 0xd800 else {
      i &+= 6
      return nil
    }
    guard first < 0xdc00 else { return .loneSurrogate }
    for (index, expected) in [(6, 0x5c), (7, 0x75)] as [(Int, UInt8)] {
      guard i &+ index < end else {
        i = end
        return .unexpectedEnd
      }
      guard p.byte(i &+ index) == expected else { return .loneSurrogate }
    }
    switch codeUnit(at: i &+ 8) {
    case .success(let unit):
      guard unit & 0xfc00 == 0xdc00 else { return .loneSurrogate }
    case .failure(let error): return error.reason
    }
    i &+= 12
    return nil
  }

  private struct EscapeFailure: Error {
    var reason: JSONError.Reason
  }

  private mutating func codeUnit(at offset: Int) -> Result<UInt32, EscapeFailure> {
    var unit: UInt32 = 0
    for index in 0..<4 {
      guard offset &+ index < end else {
        i = end
        return .failure(EscapeFailure(reason: .unexpectedEnd))
      }
      guard let digit = hexadecimalDigit(p.byte(offset &+ index)) else {
        return .failure(EscapeFailure(reason: .invalidEscape))
      }
      unit = unit &<< 4 | UInt32(digit)
    }
    return .success(unit)
  }
}
