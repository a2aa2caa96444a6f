internal import Glibc

/// Paths without parameters by their hash: what most requests ask for, found without walking the tree.
///
/// Immutable once built; the table that has it frees it.
struct StaticPaths {
  private struct Slot {
    var hash: UInt64 = 0
    var offset: Int32 = 0
    /// 0 marks a free slot; a path has at least its `/`.
    var length: Int32 = 0
    var node: Int32 = 0
  }

  private let slots: UnsafeMutablePointer<Slot>
  private let mask: Int
  private let text: UnsafeMutableRawPointer

  init(_ paths: [(path: [UInt8], node: Int32)]) {
    let size = max(4, (paths.count * 2).nextPowerOfTwo)
    mask = size - 1
    slots = .allocate(capacity: size)
    slots.initialize(repeating: Slot(), count: size)
    let bytes = paths.flatMap(\.path)
    text = .allocate(byteCount: max(bytes.count, 1), alignment: 16)
    text.copyMemory(from: bytes, byteCount: bytes.count)
    var offset = 0
    for (path, node) in paths {
      let hash = path.withUnsafeBytes(Self.hash)
      var position = Int(truncatingIfNeeded: hash) & mask
      while slots[position].length != 0 { position = (position + 1) & mask }
      slots[position] = Slot(
        hash: hash, offset: Int32(offset), length: Int32(path.count), node: node)
      offset += path.count
    }
  }

  func deallocate() {
    slots.deallocate()
    text.deallocate()
  }

  /// The node of the path, if it is one of these.
  @inline(__always)
  func find(_ path: UnsafeRawBufferPointer) -> Int32? {
    let hash = Self.hash(path)
    var position = Int(truncatingIfNeeded: hash) & mask
    while slots[position].length != 0 {
      let slot = slots[position]
      if slot.hash == hash, Int(slot.length) == path.count,
        Self.agree(
          text + Int(slot.offset), path.baseAddress.unsafelyUnwrapped, path.count)
      {
        return slot.node
      }
      position = (position + 1) & mask
    }
    return nil
  }

  /// Whether two paths of one length are the same.
  @inline(__always)
  private static func agree(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
    guard count >= 8 else { return memcmp(a, b, count) == 0 }
    var index = 0
    var difference: UInt64 = 0
    while index < count {
      // The last word may lie over the one before it.
      let start = index &+ 8 <= count ? index : count &- 8
      difference |=
        a.loadUnaligned(fromByteOffset: start, as: UInt64.self)
        ^ b.loadUnaligned(fromByteOffset: start, as: UInt64.self)
      index &+= 8
    }
    return difference == 0
  }

  /// Not against an adversary: whoever chooses paths chooses none of those in the table.
  @inline(__always)
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let base = bytes.baseAddress.unsafelyUnwrapped
    var hash = UInt64(truncatingIfNeeded: bytes.count) &* 0x9e37_79b9_7f4a_7c15
    guard bytes.count >= 8 else {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      return hash ^ hash &>> 29
    }
    // The ends tell most paths of one length apart, and the comparison the rest.
    let first = base.loadUnaligned(as: UInt64.self)
    let last = base.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
    hash = (hash ^ first) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ hash &>> 32 ^ last) &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ hash &>> 29
  }
}
