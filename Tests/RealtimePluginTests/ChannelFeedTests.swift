import Testing

@testable import RealtimePlugin

/// Messages are their offsets here.
private typealias Feed = ChannelFeed<UInt64>
private typealias Step = ChannelFeed<UInt64>.Step

extension ChannelFeed<UInt64> {
  fileprivate mutating func receive(_ offset: UInt64, epoch: String = "e") -> Step {
    receive(offset: offset, epoch: epoch) { offset }
  }

  fileprivate mutating func fill(_ offsets: [UInt64], epoch: String = "e") -> Step {
    fill(offsets.map { (offset: $0, message: $0) }, epoch: epoch)
  }

  fileprivate static func live(at offset: UInt64) -> ChannelFeed {
    var feed = ChannelFeed()
    _ = feed.begin(at: offset, epoch: "e")
    return feed
  }
}

@Suite struct `A channel's feed` {
  private func expect(
    _ step: Step, _ messages: [UInt64], _ next: Step.Next = .wait,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(step.messages == messages, sourceLocation: location)
    #expect(step.next == next, sourceLocation: location)
  }

  @Test func `lets out what comes in order`() {
    var feed = Feed.live(at: 4)
    expect(feed.receive(5), [5])
    expect(feed.receive(6), [6])
    #expect(feed.offset == 6 && feed.phase == .live)
  }

  @Test func `drops what is not above the last offset, without making it`() {
    var feed = Feed.live(at: 4)
    for offset: UInt64 in [4, 1] {
      let step = feed.receive(offset: offset, epoch: "e") {
        Issue.record("made for nothing")
        return offset
      }
      expect(step, [])
    }
  }

  @Test func `fills a gap before it lets out what came after it`() {
    var feed = Feed.live(at: 4)
    expect(feed.receive(7), [], .fill(since: 4))
    expect(feed.receive(8), [])
    expect(feed.fill([5, 6, 7]), [5, 6, 7, 8])
    #expect(feed.phase == .live)
    expect(feed.receive(9), [9])
  }

  @Test func `lets each out once, whatever the order in which it comes`() {
    var feed = Feed.live(at: 0)
    expect(feed.receive(5), [], .fill(since: 0))
    expect(feed.receive(3), [])
    expect(feed.receive(4), [])
    expect(feed.receive(3), [])
    expect(feed.receive(1), [])
    expect(feed.fill([1, 2]), [1, 2, 3, 4, 5])
  }

  @Test func `asks again when a page does not reach`() {
    var feed = Feed.live(at: 0)
    expect(feed.receive(6), [], .fill(since: 0))
    expect(feed.fill([1, 2, 3]), [1, 2, 3], .fill(since: 3))
    expect(feed.fill([4, 5, 6]), [4, 5, 6])
  }

  @Test func `asks again for a gap among what waited`() {
    var feed = Feed.live(at: 0)
    expect(feed.receive(2), [], .fill(since: 0))
    expect(feed.receive(5), [])
    expect(feed.fill([1]), [1, 2], .fill(since: 2))
    expect(feed.fill([3, 4, 5]), [3, 4, 5])
  }

  @Test func `waits until it knows where the channel stands`() {
    var feed = Feed()
    expect(feed.receive(7), [])
    expect(feed.receive(8), [])
    expect(feed.receive(9), [])
    expect(feed.begin(at: 8, epoch: "e"), [9])
    #expect(feed.offset == 9 && feed.epoch == "e")
  }

  @Test func `fills a gap between where the channel stood and what came meanwhile`() {
    var feed = Feed()
    expect(feed.receive(9), [])
    expect(feed.begin(at: 5, epoch: "e"), [], .fill(since: 5))
    expect(feed.fill([6, 7, 8, 9]), [6, 7, 8, 9])
  }

  @Test func `begins once`() {
    var feed = Feed.live(at: 4)
    expect(feed.begin(at: 9, epoch: "e"), [])
    #expect(feed.offset == 4)
    expect(feed.fill([5]), [])
  }

  @Test func `keeps a bounded number waiting and fetches the rest from the history`() {
    var feed = Feed.live(at: 0)
    let limit = UInt64(Feed.holdLimit)
    expect(feed.receive(2), [], .fill(since: 0))
    for offset in 3...(limit + 10) { expect(feed.receive(offset), []) }
    // 2 to limit + 1 were kept; the last nine were let go.
    expect(feed.fill([1]), Array(1...(limit + 1)), .fill(since: limit + 1))
    let rest = Array((limit + 2)...(limit + 10))
    expect(feed.fill(rest), rest)
    #expect(feed.phase == .live)
  }

  @Test(arguments: [[UInt64](), [6], [6, 7], [5, 7]])
  func `is lost when the history has let go of what is missing`(_ page: [UInt64]) {
    var feed = Feed.live(at: 4)
    expect(feed.receive(7), [], .fill(since: 4))
    expect(feed.fill(page), page.first == 5 ? [5] : [], .lost)
    expect(feed.receive(8), [])
    expect(feed.begin(at: 8, epoch: "e"), [])
    expect(feed.fill([8]), [])
    #expect(feed.phase == .lost)
  }

  @Test func `is lost when the history is another`() {
    var live = Feed.live(at: 4)
    expect(live.receive(5, epoch: "f"), [], .lost)
    var filling = Feed.live(at: 4)
    _ = filling.receive(6)
    expect(filling.fill([5, 6], epoch: "f"), [], .lost)
    var positioning = Feed()
    expect(positioning.receive(1, epoch: "e"), [])
    var other = positioning
    expect(positioning.receive(1, epoch: "f"), [], .lost)
    expect(other.begin(at: 1, epoch: "f"), [], .lost)
  }

  @Test func `is as before when a message cannot be made`() {
    struct Broken: Error {}
    var feed = Feed.live(at: 4)
    #expect(throws: Broken.self) { try feed.receive(offset: 5, epoch: "e") { throw Broken() } }
    expect(feed.receive(5), [5])
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `is in order after any disorder`(_ seed: UInt64) {
    var random = SplitMix(seed)
    var feed = Feed()
    var out: [UInt64] = []
    var wanted: UInt64?
    func take(_ step: Step) {
      out += step.messages
      switch step.next {
      case .wait: break
      case .fill(let since): wanted = since
      case .lost: Issue.record("lost")
      }
    }
    let start = random.next() % 10
    // What is published: each offset, some lost, some twice, some late.
    var arrivals = (1...60 as ClosedRange<UInt64>).flatMap { offset in
      Array(repeating: offset, count: Int(random.next() % 3))
    }
    for _ in 0..<10 {
      arrivals.swapAt(
        Int(random.next() % UInt64(arrivals.count)), Int(random.next() % UInt64(arrivals.count)))
    }
    arrivals.append(61)
    var newest: UInt64 = start
    for (index, offset) in arrivals.enumerated() {
      newest = max(newest, offset)
      take(feed.receive(offset))
      if index == 5 { take(feed.begin(at: start, epoch: "e")) }
      // The history knows all that was published, and gives at most seven at a time.
      if let since = wanted, random.next() % 4 == 0 {
        wanted = nil
        take(feed.fill(Array(((since + 1)...max(newest, since + 1)).prefix(7))))
      }
    }
    while let since = wanted {
      wanted = nil
      take(feed.fill(Array(((since + 1)...61).prefix(7))))
    }
    #expect(out == Array((start + 1)...61))
  }
}

/// SplitMix64: the same sequence in every run.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return bits ^ bits >> 31
  }
}

@Suite struct `A feed that is compared with the history` {
  private func live(at offset: UInt64) -> ChannelFeed<UInt64> {
    var feed = ChannelFeed<UInt64>()
    _ = feed.begin(at: offset, epoch: "e")
    return feed
  }

  @Test func `goes on where it has everything`() {
    var feed = live(at: 3)
    let step = feed.verify(top: 3, epoch: "e", seen: 3)
    #expect(step.next == .wait && feed.phase == .live)
  }

  @Test func `fills what it has not heard of`() {
    var feed = live(at: 3)
    #expect(feed.verify(top: 5, epoch: "e", seen: 3).next == .fill(since: 3))
    let step = feed.fill([(offset: 4, message: 4), (offset: 5, message: 5)], epoch: "e")
    #expect(step.messages == [4, 5] && step.next == .wait && feed.phase == .live)
  }

  @Test func `is lost where the history is another, or behind it`() {
    for (top, epoch) in [(UInt64(3), "o"), (2, "e"), (0, "e")] {
      var feed = live(at: 3)
      let step = feed.verify(top: top, epoch: epoch, seen: 3)
      #expect(step.next == .lost && feed.phase == .lost, "\(top) \(epoch)")
    }
  }

  @Test func `is not behind for what came while the history was read`() {
    var feed = live(at: 3)
    _ = feed.receive(offset: 4, epoch: "e") { 4 }
    #expect(feed.verify(top: 3, epoch: "e", seen: 3).next == .wait)
    #expect(feed.phase == .live)
  }

  @Test func `waits for what it is about already`() {
    var feed = live(at: 3)
    _ = feed.receive(offset: 6, epoch: "e") { 6 }
    #expect(feed.verify(top: 9, epoch: "e", seen: 3).next == .wait)
    var unknown = ChannelFeed<UInt64>()
    #expect(unknown.verify(top: 9, epoch: "e", seen: 0).next == .wait)
  }
}
