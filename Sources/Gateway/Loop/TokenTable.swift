/// Generation-checked handles of one loop: a token names a piece of memory until it is retired, and nothing after.
///
/// A token is `generation << 32 | loop << 24 | kind << 22 | position`; 0 is never one. Confined to its loop.
struct TokenTable {
  /// What a token names; a token of one kind is stale for functions of another.
  enum Kind: UInt32 {
    case request = 0
    case socket = 1
    case group = 2
  }

  private struct Entry {
    var memory: UnsafeMutableRawPointer?
    var generation: UInt32
    var nextFree: UInt32
    var kind: Kind
  }

  private static let none = UInt32.max
  private static let positionMask: UInt32 = 0x3f_ffff

  private var entries: UnsafeMutablePointer<Entry>
  private var capacity: Int
  private var used = 0
  private var firstFree = none
  private let loop: UInt32
  /// Tokens alive now.
  private(set) var count = 0

  init(loop: Int) {
    self.loop = UInt32(loop) << 24
    capacity = 64
    entries = .allocate(capacity: capacity)
  }

  func destroy() { entries.deallocate() }

  /// Names `memory`; 0 when four million names are in use.
  mutating func insert(_ memory: UnsafeMutableRawPointer, _ kind: Kind) -> UInt64 {
    let position: UInt32
    if firstFree != Self.none {
      position = firstFree
      firstFree = entries[Int(position)].nextFree
    } else {
      guard used < Int(Self.positionMask) else { return 0 }
      if used == capacity { grow() }
      position = UInt32(used)
      used += 1
      (entries + Int(position)).initialize(
        to: Entry(memory: nil, generation: 1, nextFree: 0, kind: .request))
    }
    let entry = entries + Int(position)
    entry.pointee.memory = memory
    entry.pointee.kind = kind
    count += 1
    return UInt64(entry.pointee.generation) << 32
      | UInt64(loop | kind.rawValue << 22 | position)
  }

  /// The memory that a token names, or nil when it is stale or never was one.
  func resolve(_ token: UInt64, _ kind: Kind) -> UnsafeMutableRawPointer? {
    let low = UInt32(truncatingIfNeeded: token)
    let position = Int(low & Self.positionMask)
    guard low & ~Self.positionMask == loop | kind.rawValue << 22, position < used else {
      return nil
    }
    let entry = entries + position
    guard entry.pointee.generation == UInt32(token >> 32), entry.pointee.kind == kind else {
      return nil
    }
    return entry.pointee.memory
  }

  /// Makes a token stale for ever.
  mutating func remove(_ token: UInt64) {
    let low = UInt32(truncatingIfNeeded: token)
    let position = Int(low & Self.positionMask)
    guard low & 0xff00_0000 == loop, position < used else { return }
    let entry = entries + position
    // A free entry's generation is one that no token has yet.
    guard entry.pointee.generation == UInt32(token >> 32), entry.pointee.memory != nil,
      entry.pointee.kind.rawValue == low >> 22 & 3
    else { return }
    entry.pointee.memory = nil
    let next = entry.pointee.generation &+ 1
    entry.pointee.generation = next == 0 ? 1 : next
    entry.pointee.nextFree = firstFree
    firstFree = UInt32(position)
    count -= 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: entries, count: used)
    entries.deallocate()
    entries = larger
    capacity *= 2
  }
}

/// Which loop a token belongs to. [any-thread]
@inlinable
public func loopIndex(ofToken token: UInt64) -> Int { Int(token >> 24 & 0xff) }
