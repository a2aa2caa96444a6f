import EventLoop
import Testing

@Suite struct `A deadline list` {
  /// One step at a virtual time, and the members that must expire then, in order.
  enum Step {
    case refresh(Int)
    case remove(Int)
    case sweep([Int])
  }

  static let stories: [(name: String, steps: [(now: UInt64, step: Step)])] = [
    ("nothing", [(1_000_000, .sweep([]))]),
    (
      "one member, to the millisecond",
      [(0, .refresh(0)), (99, .sweep([])), (100, .sweep([0])), (500, .sweep([]))]
    ),
    (
      "in the order of insertion",
      [
        (1, .refresh(2)), (2, .refresh(0)), (3, .refresh(1)), (102, .sweep([2, 0])),
        (103, .sweep([1])),
      ]
    ),
    (
      "a refreshed member goes to the end",
      [
        (0, .refresh(0)), (10, .refresh(1)), (50, .refresh(0)), (149, .sweep([1])),
        (150, .sweep([0])),
      ]
    ),
    (
      "removal at the front, in the middle, at the end, and twice",
      [
        (0, .refresh(0)), (0, .refresh(1)), (0, .refresh(2)), (0, .refresh(3)),
        (0, .refresh(4)), (1, .remove(0)), (1, .remove(2)), (1, .remove(4)), (1, .remove(4)),
        (100, .sweep([1, 3])),
      ]
    ),
    ("a member that never was in it", [(0, .remove(0)), (0, .refresh(1)), (100, .sweep([1]))]),
    (
      "a member that expired may come back",
      [(0, .refresh(0)), (100, .sweep([0])), (101, .refresh(0)), (201, .sweep([0]))]
    ),
  ]

  @Test(arguments: stories.map(\.name))
  func `tells who has expired`(name: String) throws {
    let story = try #require(Self.stories.first { $0.name == name })
    let nodes = UnsafeMutablePointer<DeadlineNode>.allocate(capacity: 5)
    nodes.initialize(repeating: DeadlineNode(), count: 5)
    defer { nodes.deallocate() }
    var list = DeadlineList(duration: 100)
    for (now, step) in story.steps {
      switch step {
      case .refresh(let member): list.refresh(nodes + member, now: now)
      case .remove(let member): list.remove(nodes + member)
      case .sweep(let expected):
        var expired: [Int] = []
        while let node = list.popExpired(now: now) { expired.append(node - nodes) }
        #expect(expired == expected, "at \(now)")
      }
      #expect(list.count == (0..<5).count { nodes[$0].isListed })
    }
    #expect(list.count == 0)
    #expect(list.nextDeadline == nil)
  }

  @Test func `may be changed between two expired members`() {
    let nodes = UnsafeMutablePointer<DeadlineNode>.allocate(capacity: 4)
    nodes.initialize(repeating: DeadlineNode(), count: 4)
    defer { nodes.deallocate() }
    var list = DeadlineList(duration: 10)
    for member in 0..<3 { list.refresh(nodes + member, now: 0) }
    #expect(list.popExpired(now: 10) == nodes)
    list.remove(nodes + 1)
    list.refresh(nodes, now: 10)
    list.refresh(nodes + 3, now: 10)
    #expect(list.popExpired(now: 10) == nodes + 2)
    #expect(list.popExpired(now: 10) == nil)
    #expect(list.nextDeadline == 20)
    #expect(list.count == 2)
  }
}
