internal import Wire

/// Request slots of one loop, used again and again. Confined to its loop.
///
/// A slot stays initialized while it is spare: only what a request leaves behind is put back. Slots are freed by `trim`
/// alone, so that whoever has just answered one may still look at its stage.
struct RequestPool {
  /// Spare slots that a loop keeps. More were needed once, when many peers came together.
  static let spareLimit = 256

  private var first: RequestPointer?
  private(set) var spares = 0

  @inline(__always)
  mutating func take(base: UnsafeRawPointer, fields: UnsafeMutablePointer<HeaderField>)
    -> RequestPointer
  {
    guard let slot = first else { return make(base, fields) }
    first = slot.pointee.nextSpare
    spares &-= 1
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
    spares &+= 1
  }

  /// Frees spare slots beyond `spareLimit`. Only where no request is being handled.
  mutating func trim() {
    while spares > Self.spareLimit, let slot = first {
      first = slot.pointee.nextSpare
      spares &-= 1
      slot.deinitialize(count: 1)
      slot.deallocate()
    }
  }
}
