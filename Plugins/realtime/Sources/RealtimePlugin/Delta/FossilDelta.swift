/// The difference of two texts in Fossil's delta format (fossil-scm.org, "Fossil Delta Format"): the size of the
/// target, then what to copy from the source and what to insert, then a checksum. A pure function.
///
/// Neither a copy nor an insert begins or ends inside a UTF-8 sequence, so that the delta of two texts is text.
struct FossilDelta {
  /// Runs shorter than this are not looked for.
  static let window = 16
  /// How many places of the source with the same hash are tried.
  private static let depth = 32

  private let source: [UInt8]
  private let target: [UInt8]
  private var output: [UInt8] = []

  /// What makes `target` of `source`.
  static func make(from source: [UInt8], to target: [UInt8]) -> [UInt8] {
    var delta = FossilDelta(source: source, target: target)
    delta.run()
    return delta.output
  }

  private init(source: [UInt8], target: [UInt8]) {
    self.source = source
    self.target = target
  }

  private mutating func run() {
    append(number: UInt32(truncatingIfNeeded: target.count))
    output.append(UInt8(ascii: "\n"))
    var done = 0
    if source.count > Self.window {
      let index = BlockIndex(source)
      var position = 0
      var hash = RollingHash(target, at: 0)
      while position + Self.window <= target.count {
        if let match = longestMatch(at: position, from: done, hash: hash.value, in: index) {
          insert(done..<match.target.lowerBound)
          copy(match)
          done = match.target.upperBound
          position = done
          hash = RollingHash(target, at: position)
        } else {
          hash.roll(target, from: position)
          position += 1
        }
      }
    }
    insert(done..<target.count)
    append(number: Self.checksum(of: target))
    output.append(UInt8(ascii: ";"))
  }

  private struct Match {
    var source: Int
    var target: Range<Int>
  }

  /// The longest run around a place of the target that stands in the source, if naming it is shorter than the run.
  private func longestMatch(at position: Int, from done: Int, hash: UInt32, in index: BlockIndex)
    -> Match?
  {
    var best: Match?
    var tries = 0
    index.each(hash) { block in
      tries += 1
      var end = 0
      while block + end < source.count, position + end < target.count,
        source[block + end] == target[position + end]
      { end += 1 }
      var start = 0
      while block - start > 0, position - start > done,
        source[block - start - 1] == target[position - start - 1]
      { start += 1 }
      let match = Match(source: block - start, target: position - start..<position + end)
      if match.target.count > (best?.target.count ?? 0) { best = match }
      return tries < Self.depth
    }
    guard var match = best else { return nil }
    let begin = match.target.lowerBound
    var (lower, upper) = (begin, match.target.upperBound)
    while lower < upper, isInsideSequence(lower) { lower += 1 }
    while upper > lower, isInsideSequence(upper) { upper -= 1 }
    match.source += lower - begin
    match.target = lower..<upper
    // "size@offset," takes at most 14 bytes, and an insert begins anew behind it.
    return match.target.count >= Self.window ? match : nil
  }

  /// Whether a place of the target lies between two bytes of one character.
  private func isInsideSequence(_ place: Int) -> Bool {
    place < target.count && target[place] & 0xC0 == 0x80
  }

  private mutating func copy(_ match: Match) {
    append(number: UInt32(truncatingIfNeeded: match.target.count))
    output.append(UInt8(ascii: "@"))
    append(number: UInt32(truncatingIfNeeded: match.source))
    output.append(UInt8(ascii: ","))
  }

  private mutating func insert(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    append(number: UInt32(truncatingIfNeeded: range.count))
    output.append(UInt8(ascii: ":"))
    output.append(contentsOf: target[range])
  }

  /// A number in base 64, the highest digit first.
  private mutating func append(number: UInt32) {
    let digits: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
    guard number >= 64 else {
      output.append(digits.utf8Start[Int(number)])
      return
    }
    append(number: number >> 6)
    output.append(digits.utf8Start[Int(number & 63)])
  }

  /// The sum of the text's big-endian 32-bit words, the last filled up with zeros.
  static func checksum(of text: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for (place, byte) in text.enumerated() { sum &+= UInt32(byte) << UInt32(24 - place % 4 * 8) }
    return sum
  }
}

/// A hash of a window that moves by one byte at a time.
private struct RollingHash {
  private var sum: UInt16 = 0
  private var weighted: UInt16 = 0

  /// Of the window that begins at a place; 0 when there is none.
  init(_ text: [UInt8], at start: Int) {
    guard start + FossilDelta.window <= text.count else { return }
    for place in 0..<FossilDelta.window {
      let byte = UInt16(text[start + place])
      sum &+= byte
      weighted &+= UInt16(FossilDelta.window - place) &* byte
    }
  }

  /// From the window that begins at `start` to the next.
  mutating func roll(_ text: [UInt8], from start: Int) {
    guard start + FossilDelta.window < text.count else { return }
    let (old, new) = (UInt16(text[start]), UInt16(text[start + FossilDelta.window]))
    sum = sum &- old &+ new
    weighted = weighted &- UInt16(FossilDelta.window) &* old &+ sum
  }

  var value: UInt32 { UInt32(weighted) << 16 | UInt32(sum) }
}

/// Where in the source blocks of the window's size are, by their hashes.
private struct BlockIndex {
  private var last: [UInt32: Int32] = [:]
  /// For each block, the one before it with the same hash; -1 is none.
  private var previous: [Int32] = []

  init(_ source: [UInt8]) {
    let blocks = source.count / FossilDelta.window
    previous.reserveCapacity(blocks)
    for block in 0..<blocks {
      let hash = RollingHash(source, at: block * FossilDelta.window).value
      previous.append(last.updateValue(Int32(block), forKey: hash) ?? -1)
    }
  }

  /// The places with a hash, the last first, until `body` says false.
  func each(_ hash: UInt32, _ body: (Int) -> Bool) {
    var block = last[hash] ?? -1
    while block >= 0 {
      guard body(Int(block) * FossilDelta.window) else { return }
      block = previous[Int(block)]
    }
  }
}
