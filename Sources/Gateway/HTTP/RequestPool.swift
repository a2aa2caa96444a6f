internal import Wire

/// Request slots of one loop, used again and again. Confined to its loop.
///
/// A slot stays initialized while it is spare: only what a request leaves behind is put back. Slots are never freed, so
/// that whoever has just answered one may still look at its stage; there are as many as requests were ever open at once.
struct RequestPool {
  private var first: RequestPointer?

  @inline(__always)
  mutating func take(base: UnsafeRawPointer, fields: UnsafeMutablePointer<HeaderField>)
    -> RequestPointer
  {
    guard let slot = first else { return make(base, fields) }
    first = slot.pointee.nextSpare
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
    slot.pointee.reset()
    // Whoever answered it from outside may still ask whether it goes on.
    slot.pointee.stage = .answered
    slot.pointee.nextSpare = first
    first = slot
  }
}
