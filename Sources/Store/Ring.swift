/// A queue, first in first out, that reuses its memory.
struct Ring<Element> {
  private var slots: [Element?]
  private var head = 0
  private(set) var count = 0

  init() { slots = [] }

  var isEmpty: Bool { count == 0 }
  var first: Element? { count == 0 ? nil : slots[head] }

  mutating func append(_ element: Element) {
    if count == slots.count { grow() }
    slots[(head + count) & (slots.count - 1)] = element
    count += 1
  }

  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = slots[head].take()
    head = (head + 1) & (slots.count - 1)
    count -= 1
    // A burst must not hold its memory for ever.
    if count == 0, slots.count > 1024 {
      slots = []
      head = 0
    }
    return element
  }

  /// Doubles the slots, whose number stays a power of two.
  private mutating func grow() {
    var larger: [Element?] = []
    larger.reserveCapacity(max(8, slots.count * 2))
    for index in 0..<count { larger.append(slots[(head + index) & (slots.count - 1)]) }
    larger.append(contentsOf: repeatElement(nil, count: max(8, slots.count * 2) - count))
    slots = larger
    head = 0
  }
}
