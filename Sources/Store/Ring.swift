/// A queue, first in first out, that reuses its memory.
struct Ring<Element> {
  private var slots: [Element?]
  private var head = 0
  private(set) var count = 0

  init() { slots = [] }

  var isEmpty: Bool { count == 0 }

  mutating func append(_ element: Element) {
    if count == slots.count { grow() }
    slots[(head + count) & (slots.count - 1)] = element
    count += 1
  }

  mutating func popFirst() -> Element? { popFirst { _ in true } }

  /// The first, if it is one that is wanted; the others stay where they are. Copies nothing.
  mutating func popFirst(if isWanted: (Element) -> Bool) -> Element? {
    guard count > 0, let element = slots[head].take() else { return nil }
    guard isWanted(element) else {
      slots[head] = element
      return nil
    }
    head = (head + 1) & (slots.count - 1)
    count -= 1
    releaseAfterBurst()
    return element
  }

  private mutating func releaseAfterBurst() {
    // A burst must not hold its memory for ever.
    if count == 0, slots.count > 1024 {
      slots = []
      head = 0
    }
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
