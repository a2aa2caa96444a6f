internal import Wire

/// Request slots of one loop, used again and again. Confined to its loop.
struct RequestPool {
  private static let keepLimit = 1024
  private var spare: [RequestPointer] = []

  mutating func take(base: UnsafeRawPointer, fields: UnsafeMutablePointer<HeaderField>)
    -> RequestPointer
  {
    let slot: RequestPointer
    if let last = spare.popLast() {
      slot = last
    } else {
      slot = .allocate(capacity: 1)
    }
    slot.initialize(to: RequestSlot(base: base, fields: fields, arena: Arena()))
    return slot
  }

  mutating func give(_ slot: RequestPointer) {
    slot.deinitialize(count: 1)
    if spare.count < Self.keepLimit {
      spare.append(slot)
    } else {
      slot.deallocate()
    }
  }
}
