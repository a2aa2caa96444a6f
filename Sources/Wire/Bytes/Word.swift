/// Eight bytes at a time.
enum Word {
  @inline(__always)
  static func load(_ pointer: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    (pointer + offset).loadUnaligned(as: UInt64.self)
  }
}

extension UnsafeRawPointer {
  /// The byte at `offset`.
  @inline(__always)
  func byte(_ offset: Int) -> UInt8 {
    (self + offset).load(as: UInt8.self)
  }
}

/// Whether `count` bytes at `pointer` are `known`, letters compared without case.
///
/// `known` is lower-case ASCII of exactly `count` bytes. Only letters fold: a byte is never mistaken
/// for punctuation it differs from in bit 5 (CR for `-`).
@inline(__always)
func matchesFolded(_ pointer: UnsafeRawPointer, _ known: StaticString, _ count: Int) -> Bool {
  let other = UnsafeRawPointer(known.utf8Start)
  if count >= 8 {
    var offset = 0
    while offset &+ 8 <= count {
      if differsFolded(Word.load(pointer, offset), Word.load(other, offset)) { return false }
      offset &+= 8
    }
    return offset == count
      || !differsFolded(Word.load(pointer, count &- 8), Word.load(other, count &- 8))
  }
  if count >= 4 {
    let last = count &- 4
    return !differsFolded(half(pointer, 0), half(other, 0))
      && !differsFolded(half(pointer, last), half(other, last))
  }
  for offset in 0..<count {
    if differsFolded(UInt64(pointer.byte(offset)), UInt64(other.byte(offset))) { return false }
  }
  return true
}

@inline(__always)
private func half(_ pointer: UnsafeRawPointer, _ offset: Int) -> UInt64 {
  UInt64((pointer + offset).loadUnaligned(as: UInt32.self))
}

@inline(__always)
private func differsFolded(_ word: UInt64, _ known: UInt64) -> Bool {
  let letters = known & 0x4040_4040_4040_4040
  return (word ^ known) & ~(letters &>> 1) != 0
}

/// Whether two texts differ at most in the case of ASCII letters, as names of fields, hosts and media types may (RFC 9110
/// §5.1). [any-thread]
public func equalsIgnoringCase(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  for offset in 0..<a.count {
    let (x, y) = (a[offset], b[offset])
    if x == y { continue }
    guard x ^ y == 0x20, (x | 0x20) >= 0x61, (x | 0x20) <= 0x7a else { return false }
  }
  return true
}

/// Whether two byte ranges are the same.
func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
  var offset = 0
  while offset &+ 8 <= count {
    if Word.load(a, offset) != Word.load(b, offset) { return false }
    offset &+= 8
  }
  while offset < count {
    if a.byte(offset) != b.byte(offset) { return false }
    offset &+= 1
  }
  return true
}
