internal import Wire

/// Request slots of one loop, used again and again. Confined to its loop.
///
/// A slot stays initialized while it is spare: only what a request leaves behind is put back.
struct RequestPool {
  private static let keepLimit = 1024
  private var first: RequestPointer?
  private var count = 0

  @inline(__always)
  mutating func take(base: UnsafeRawPointer, fields: UnsafeMutablePointer<HeaderField>)
    -> RequestPointer
  {
    guard let slot = first else { return make(base, fields) }
    first = slot.pointee.nextSpare
    count &-= 1
    slot.pointee.stage = .tenant
    slot.pointee.base = base
    slot.pointee.fields = fields
    slot.pointee.stage = .tenant
    return slot
  }

  @inline(never)
  private func make(_ base: UnsafeRawPointer, _ fields: UnsafeMutablePointer<HeaderField>)
    -> RequestPointer
  {
    let slot = RequestPointer.allocate(capacity: 1)
    slot.initialize(to: RequestSlot(base: base, fields: fields))
    return slot
  }

  @inline(__always)
  mutating func give(_ slot: RequestPointer) {
    guard count < Self.keepLimit else { return slot.deallocate() }
    slot.pointee.reset()
    // Whoever answered it from outside may still ask whether it goes on.
    slot.pointee.stage = .answered
    slot.pointee.nextSpare = first
    first = slot
    count &+= 1
  }
}
