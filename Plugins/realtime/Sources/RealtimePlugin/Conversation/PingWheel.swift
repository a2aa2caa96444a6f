/// What has a place in a wheel, which it keeps itself so that leaving costs nothing.
protocol WheelMember: AnyObject {
  var wheelSlot: UInt16 { get set }
  var wheelIndex: Int32 { get set }
}

/// Members spread over the seconds of an interval: each second one slot is due. A pure value; it holds its members.
struct PingWheel<Member: WheelMember> {
  private var slots: [[Member]]
  private(set) var count = 0
  /// Seconds since the beginning.
  private var now = 0

  /// Seconds between two turns of a member.
  var interval: Int { slots.count }

  init(interval: Int) { slots = Array(repeating: [], count: interval) }

  /// Adds a member that is due in `seconds`, and then once in each interval.
  mutating func insert(_ member: Member, dueIn seconds: Int) {
    let slot = (now + max(1, seconds)) % slots.count
    member.wheelSlot = UInt16(slot)
    member.wheelIndex = Int32(slots[slot].count)
    slots[slot].append(member)
    count += 1
  }

  /// Removes a member that is in it.
  mutating func remove(_ member: Member) {
    let (slot, index) = (Int(member.wheelSlot), Int(member.wheelIndex))
    guard slot < slots.count, index >= 0, index < slots[slot].count, slots[slot][index] === member
    else { return }
    let last = slots[slot].removeLast()
    if last !== member {
      slots[slot][index] = last
      last.wheelIndex = Int32(index)
    }
    member.wheelIndex = -1
    count -= 1
  }

  /// A second has passed: who is due, and who was due `delay` seconds ago.
  mutating func tick(delay: Int) -> (due: [Member], late: [Member]) {
    now += 1
    return (slots[now % slots.count], now >= delay ? slots[(now - delay) % slots.count] : [])
  }

  /// Calls `body` with every member; it may remove any.
  func each(_ body: (Member) -> Void) {
    for slot in slots { for member in slot { body(member) } }
  }
}
