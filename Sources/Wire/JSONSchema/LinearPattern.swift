/// A regular expression that is matched in time linear in the text, whatever the pattern.
///
/// The syntax is this part of ECMA-262, over code points:
///
/// | | |
/// |---|---|
/// | literals | any character but `^ $ \ . * + ? ( ) [ ] { } \|`, and those after a backslash |
/// | escapes | `\t \n \r \f \v \0 \xHH \uHHHH \u{H…}`, `\d \D \w \W \s \S` |
/// | any character | `.`, which is all but line ends |
/// | classes | `[a-z_]`, `[^a-z]`, with the escapes above |
/// | anchors | `^` and `$`, the ends of the text |
/// | groups | `(…)` and `(?:…)`, alternation with `\|` |
/// | repetition | `* + ? {m} {m,} {m,n}`, up to 1000; a `?` after them changes nothing here |
///
/// Back-references, look-around, word boundaries and flags are refused. A pattern may match
/// anywhere in the text unless it is anchored.
public struct LinearPattern: Sendable {
  /// Why a pattern is refused.
  public struct SyntaxError: Error, Equatable, Sendable {
    /// What is wrong, in one sentence without a full stop.
    public var message: String
    /// Characters (code points) before the place.
    public var offset: Int
  }

  /// One step of the automaton.
  enum Step: Sendable {
    case character(UInt32)
    case any
    case oneOf(Int)
    case split(Int, Int)
    case jump(Int)
    case atStart
    case atEnd
    case matched
  }

  /// Ranges of code points, inverted or not.
  struct CharacterSet: Equatable, Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isInverted = false

    func contains(_ value: UInt32) -> Bool {
      ranges.contains { $0.contains(value) } != isInverted
    }
  }

  /// Steps a pattern may compile to: each costs time for each character of a text.
  static let maximumSteps = 1_000

  var steps: [Step] = []
  var sets: [CharacterSet] = []

  /// Compiles `source`.
  public init(_ source: String) throws(SyntaxError) {
    var parser = PatternParser(source)
    let tree = try parser.parse()
    var compiler = PatternCompiler()
    try compiler.emit(tree)
    try compiler.add(.matched)
    steps = compiler.steps
    sets = compiler.sets
  }

  /// Whether the pattern matches somewhere in `text`, which is valid UTF-8.
  public func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    var bytes = text.makeIterator()
    return matches { bytes.next() }
  }

  /// Whether the pattern matches somewhere in `text`.
  public func matches(_ text: String) -> Bool {
    var bytes = text.utf8.makeIterator()
    return matches { bytes.next() }
  }

  /// Runs all alternatives side by side, one character at a time: a set of steps, each in it once.
  func matches(_ nextByte: () -> UInt8?) -> Bool {
    var current = StepSet(steps.count)
    var next = StepSet(steps.count)
    var character = LinearPattern.decode(nextByte)
    var isStart = true
    while true {
      let isEnd = character == nil
      if enter(0, isStart, isEnd, &current) { return true }
      guard let value = character else { return false }
      character = LinearPattern.decode(nextByte)
      for index in 0..<current.count where takes(current.members[index], value) {
        if enter(current.members[index] + 1, false, character == nil, &next) { return true }
      }
      (current, next) = (next, current)
      next.removeAll()
      isStart = false
    }
  }

  private func takes(_ step: Int, _ value: UInt32) -> Bool {
    switch steps[step] {
    case .character(let wanted): value == wanted
    case .any: value != 0x0a && value != 0x0d && value != 0x2028 && value != 0x2029
    case .oneOf(let set): sets[set].contains(value)
    default: false
    }
  }

  /// Adds `step` and all that follow without a character. True if one of them is the match.
  private func enter(
    _ step: Int, _ isStart: Bool, _ isEnd: Bool, _ set: inout StepSet
  ) -> Bool {
    set.pending.append(step)
    while let step = set.pending.popLast() {
      guard set.insert(step) else { continue }
      switch steps[step] {
      case .matched: return true  // What is pending does not matter any more.
      case .jump(let target): set.pending.append(target)
      case .split(let first, let second):
        set.pending.append(second)
        set.pending.append(first)
      case .atStart: if isStart { set.pending.append(step + 1) }
      case .atEnd: if isEnd { set.pending.append(step + 1) }
      default: break
      }
    }
    return false
  }

  private static func decode(_ nextByte: () -> UInt8?) -> UInt32? {
    guard let first = nextByte() else { return nil }
    if first < 0x80 { return UInt32(first) }
    let more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
    var value = UInt32(first) & (0x3f >> UInt32(more))
    for _ in 0..<more { value = value << 6 | UInt32(nextByte() ?? 0x80) & 0x3f }
    return value
  }
}

/// The steps an automaton is at, each once, in the order they were reached.
private struct StepSet {
  var members: [Int] = []
  /// Steps to add, while some are being added.
  var pending: [Int] = []
  private var isMember: [Bool]

  init(_ size: Int) { isMember = Array(repeating: false, count: size) }

  var count: Int { members.count }

  mutating func insert(_ step: Int) -> Bool {
    if isMember[step] { return false }
    isMember[step] = true
    members.append(step)
    return true
  }

  mutating func removeAll() {
    for step in members { isMember[step] = false }
    members.removeAll(keepingCapacity: true)
  }
}
