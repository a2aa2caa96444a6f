/// The bytes a scanned string or key means, one at a time: its UTF-8 with the escapes undone.
struct JSONStringBytes {
  private let p: UnsafeRawPointer
  private var i: Int
  private let end: Int
  /// What is left of a character that was escaped, first byte lowest.
  private var pending: UInt32 = 0

  init(_ node: JSONNode, _ base: UnsafeRawPointer) {
    p = base
    i = Int(node.start)
    end = Int(node.end)
  }

  mutating func next() -> UInt8? {
    if pending != 0 {
      let byte = UInt8(truncatingIfNeeded: pending)
      pending &>>= 8
      return byte
    }
    guard i < end else { return nil }
    let byte = p.byte(i)
    i &+= 1
    guard byte == 0x5c else { return byte }
    let escape = p.byte(i)
    i &+= 1
    switch escape {
    case 0x62: return 0x08
    case 0x66: return 0x0c
    case 0x6e: return 0x0a
    case 0x72: return 0x0d
    case 0x74: return 0x09
    case 0x75: return unicode()
    default: return escape
    }
  }

  /// The scanner made sure that the digits are digits and the surrogates are pairs.
  private mutating func unicode() -> UInt8 {
    var value = unit()
    if value & 0xfc00 == 0xd800 {
      i &+= 2
      value = 0x10000 &+ (value & 0x3ff) &<< 10 &+ (unit() & 0x3ff)
    }
    switch value {
    case 0..<0x80: return UInt8(truncatingIfNeeded: value)
    case 0x80..<0x800:
      pending = 0x80 | value & 0x3f
      return UInt8(truncatingIfNeeded: 0xc0 | value &>> 6)
    case 0x800..<0x10000:
      pending = 0x80 | value &>> 6 & 0x3f | (0x80 | value & 0x3f) &<< 8
      return UInt8(truncatingIfNeeded: 0xe0 | value &>> 12)
    default:
      pending =
        0x80 | value &>> 12 & 0x3f | (0x80 | value &>> 6 & 0x3f) &<< 8
        | (0x80 | value & 0x3f) &<< 16
      return UInt8(truncatingIfNeeded: 0xf0 | value &>> 18)
    }
  }

  private mutating func unit() -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      value = value &<< 4 | UInt32(hexadecimalDigit(p.byte(i)) ?? 0)
      i &+= 1
    }
    return value
  }
}

/// Comparing what strings and keys mean.
enum JSONKeys {
  /// Whether two strings, possibly of two texts, mean the same.
  static func areEqual(
    _ a: JSONNode, _ aBase: UnsafeRawPointer, _ b: JSONNode, _ bBase: UnsafeRawPointer
  ) -> Bool {
    if !a.hasEscapes && !b.hasEscapes {
      let count = a.end &- a.start
      return count == b.end &- b.start
        && equalBytes(aBase + Int(a.start), bBase + Int(b.start), Int(count))
    }
    return order(a, aBase, b, bBase) == 0
  }

  /// Whether a string means exactly `bytes`.
  static func isEqual(
    _ node: JSONNode, _ base: UnsafeRawPointer, _ bytes: UnsafeRawBufferPointer
  ) -> Bool {
    guard node.hasEscapes else {
      let count = Int(node.end &- node.start)
      guard count == bytes.count, let other = bytes.baseAddress else { return count == bytes.count }
      return equalBytes(base + Int(node.start), other, count)
    }
    var text = JSONStringBytes(node, base)
    for byte in bytes where text.next() != byte { return false }
    return text.next() == nil
  }

  /// Below, at or above 0 as the meaning of `a` sorts before, with or after that of `b`.
  static func order(
    _ a: JSONNode, _ aBase: UnsafeRawPointer, _ b: JSONNode, _ bBase: UnsafeRawPointer
  ) -> Int {
    var x = JSONStringBytes(a, aBase)
    var y = JSONStringBytes(b, bBase)
    while true {
      let (left, right) = (x.next(), y.next())
      guard let left else { return right == nil ? 0 : -1 }
      guard let right else { return 1 }
      if left != right { return left < right ? -1 : 1 }
    }
  }

  /// The tape index of the first key of the object that means the same as an earlier one. Few keys are
  /// compared with each other, many are sorted, so that no choice of keys makes it quadratic.
  static func duplicate(
    in object: Int, _ nodes: UnsafeMutablePointer<JSONNode>, _ base: UnsafeRawPointer
  ) -> Int? {
    let end = Int(nodes[object].next)
    if nodes[object].count <= 12 {
      var key = Int(nodes[object + 2].next)
      while key < end {
        var earlier = object + 1
        while earlier < key {
          if areEqual(nodes[earlier], base, nodes[key], base) { return key }
          earlier = Int(nodes[earlier + 1].next)
        }
        key = Int(nodes[key + 1].next)
      }
      return nil
    }
    let keys = sortedKeys(of: object, nodes, base)
    var first: Int?
    for index in 1..<keys.count
    where areEqual(nodes[keys[index - 1]], base, nodes[keys[index]], base) {
      first = min(first ?? .max, keys[index])
    }
    return first
  }

  /// The object's keys by meaning, then by place.
  static func sortedKeys(
    of object: Int, _ nodes: UnsafePointer<JSONNode>, _ base: UnsafeRawPointer
  ) -> [Int] {
    var keys: [Int] = []
    var key = object + 1
    let end = Int(nodes[object].next)
    while key < end {
      keys.append(key)
      key = Int(nodes[key + 1].next)
    }
    keys.sort {
      let order = order(nodes[$0], base, nodes[$1], base)
      return order == 0 ? $0 < $1 : order < 0
    }
    return keys
  }
}
