/// Values behind 64-bit numbers, for the contexts that cross the contract: subscriptions, connections.
///
/// A number is never used again for another value, so one that comes late finds nothing.
public struct SlotTable<Value> {
  private struct Slot {
    var generation: UInt32
    var value: Value?
  }

  private var slots: [Slot] = []
  private var free: [UInt32] = []

  /// An empty table.
  public init() {}

  /// How many values there are.
  public var count: Int { slots.count - free.count }

  /// Keeps `value` and returns its number, which is never 0.
  public mutating func insert(_ value: Value) -> UInt64 {
    if let index = free.popLast() {
      slots[Int(index)].value = value
      return UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
    }
    slots.append(Slot(generation: 1, value: value))
    return 1 << 32 | UInt64(slots.count - 1)
  }

  /// The value behind `number`, or nil. Set it to change the value in place; setting nil removes it,
  /// and setting a value under a number that is gone does nothing.
  public subscript(number: UInt64) -> Value? {
    get { find(number).flatMap { slots[$0].value } }
    set {
      guard let index = find(number) else { return }
      guard let newValue else {
        remove(number)
        return
      }
      slots[index].value = newValue
    }
  }

  /// Removes and returns the value behind `number`.
  @discardableResult
  public mutating func remove(_ number: UInt64) -> Value? {
    guard let index = find(number) else { return nil }
    let value = slots[index].value
    slots[index].value = nil
    // A slot that has used up its generations is left empty for good.
    if slots[index].generation < .max {
      slots[index].generation += 1
      free.append(UInt32(index))
    }
    return value
  }

  private func find(_ number: UInt64) -> Int? {
    let index = Int(UInt32(truncatingIfNeeded: number))
    guard index < slots.count, slots[index].generation == UInt32(number >> 32),
      slots[index].value != nil
    else { return nil }
    return index
  }
}
