/// Puts the durable messages of one channel in order: each once, by offset, without a gap.
///
/// A pure state machine. It begins not knowing where the channel stands; `begin` tells it. From then
/// on a message that is not above `offset` is dropped, the next one goes out, and one further ahead
/// waits while the gap is filled from the history. No more than `holdLimit` wait: what is let go then
/// is in the history too, and is fetched from there.
struct ChannelFeed<Message> {
  static var holdLimit: Int { 256 }

  /// What is to be done now.
  struct Step {
    enum Next: Equatable {
      /// Nothing, until something comes.
      case wait
      /// Read the history above this offset and give it to `fill`.
      case fill(since: UInt64)
      /// What is missing is in the history no more; whoever listens must be told.
      case lost
    }

    /// To be sent now, in this order.
    var messages: [Message] = []
    var next = Next.wait
  }

  enum Phase: Equatable { case positioning, live, filling, lost }

  private(set) var phase = Phase.positioning
  /// The offset of the last message that went out; 0 before the first.
  private(set) var offset: UInt64 = 0
  /// Of the channel's history; "" until it is known.
  private(set) var epoch = ""
  /// The highest offset that has been heard of.
  private var newest: UInt64 = 0
  /// Above `offset`, in order.
  private var held: [(offset: UInt64, message: Message)] = []

  /// A message that has been published.
  ///
  /// - Parameter message: made only when it is needed.
  mutating func receive(
    offset: UInt64, epoch: String, _ message: () throws -> Message
  ) rethrows -> Step {
    switch phase {
    case .lost: return Step()
    case .positioning:
      if self.epoch.isEmpty { self.epoch = epoch }
      guard epoch == self.epoch else { return lose() }
      try hold(offset, message)
      return Step()
    case .live, .filling:
      guard epoch == self.epoch else { return lose() }
      guard offset > self.offset else { return Step() }
      if phase == .live && offset == self.offset + 1 {
        let next = try message()
        newest = offset
        self.offset = offset
        return Step(messages: [next])
      }
      try hold(offset, message)
      guard phase == .live else { return Step() }
      phase = .filling
      return Step(next: .fill(since: self.offset))
    }
  }

  /// Where the channel stands: what is above `offset` goes out from now on.
  mutating func begin(at offset: UInt64, epoch: String) -> Step {
    guard phase == .positioning else { return Step() }
    guard self.epoch.isEmpty || self.epoch == epoch else { return lose() }
    self.epoch = epoch
    self.offset = offset
    return settle([], hasAdvanced: true)
  }

  /// Where the history says that the channel stands. The bus may have lost what came last, and then nothing that came
  /// after has shown the gap.
  ///
  /// - Parameter seen: `offset` before the history was asked; what is published meanwhile may be above what it says.
  mutating func verify(top: UInt64, epoch: String, seen: UInt64) -> Step {
    guard phase == .live else { return Step() }
    guard epoch == self.epoch, top >= seen else { return lose() }
    guard top > offset else { return Step() }
    newest = max(newest, top)
    phase = .filling
    return Step(next: .fill(since: offset))
  }

  /// The page of history that was asked for, oldest first.
  mutating func fill(_ page: [(offset: UInt64, message: Message)], epoch: String) -> Step {
    guard phase == .filling else { return Step() }
    guard epoch == self.epoch else { return lose() }
    var messages: [Message] = []
    for entry in page where entry.offset > offset {
      guard entry.offset == offset + 1 else { return lose(after: messages) }
      offset = entry.offset
      messages.append(entry.message)
    }
    return settle(messages, hasAdvanced: false)
  }

  /// Lets out what follows on, and sees whether there is still a gap.
  private mutating func settle(_ first: [Message], hasAdvanced: Bool) -> Step {
    var messages = first
    var used = 0
    for entry in held {
      if entry.offset > offset + 1 { break }
      used += 1
      guard entry.offset > offset else { continue }
      offset = entry.offset
      messages.append(entry.message)
    }
    held.removeFirst(used)
    guard newest > offset else {
      newest = offset
      phase = .live
      return Step(messages: messages)
    }
    // A history that brings nothing although there is more has let go of it.
    guard hasAdvanced || !messages.isEmpty else { return lose() }
    phase = .filling
    return Step(messages: messages, next: .fill(since: offset))
  }

  private mutating func hold(_ offset: UInt64, _ message: () throws -> Message) rethrows {
    newest = max(newest, offset)
    guard held.count < Self.holdLimit else { return }
    let place = held.lastIndex { $0.offset <= offset }.map { $0 + 1 } ?? 0
    if place > 0 && held[place - 1].offset == offset { return }
    held.insert((offset, try message()), at: place)
  }

  private mutating func lose(after messages: [Message] = []) -> Step {
    phase = .lost
    held = []
    return Step(messages: messages, next: .lost)
  }
}
