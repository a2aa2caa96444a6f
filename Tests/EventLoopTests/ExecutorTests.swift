import EventLoop
import Glibc
import Testing

@Suite struct `The loop as an executor` {
  actor Room {
    let loop: EventLoop
    private(set) var visits = 0

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func visit() -> Bool {
      visits += 1
      return loop.isCurrent
    }

    func visit(_ other: Room) async -> Bool {
      guard await other.visit() else { return false }
      return loop.isCurrent
    }

    nonisolated func assumedVisit() -> Int { assumeIsolated { $0.visits } }
  }

  @Test func `keeps actors on the loop's thread across awaits`() async throws {
    let loop = try EventLoop.spawn(index: 0, name: "test")
    let (one, two) = (Room(loop), Room(loop))
    for _ in 0..<100 {
      #expect(await one.visit(two))
      #expect(await two.visit(one))
    }
    #expect(await one.visits == 100)
    try #expect(loop.sync { one.assumedVisit() } == 100)
    loop.stop()
    loop.join()
    #expect(loop.lostJobs == 0)
  }

  @Test func `hops between two loops and back`() async throws {
    let loops = try (0..<2).map { try EventLoop.spawn(index: $0, name: "test-\($0)") }
    let (one, two) = (Room(loops[0]), Room(loops[1]))
    for _ in 0..<100 { #expect(await one.visit(two)) }
    for loop in loops { loop.stop() }
    for loop in loops { loop.join() }
  }

  @Test func `is taken by tasks as a preference`() async throws {
    let loop = try EventLoop.spawn(index: 0, name: "test")
    let isOnLoop = await Task(executorPreference: LoopTaskExecutor(loop: loop)) {
      var isOnLoop = loop.isCurrent
      for _ in 0..<10 {
        await Task.yield()
        isOnLoop = isOnLoop && loop.isCurrent
      }
      return isOnLoop
    }.value
    #expect(isOnLoop)
    loop.stop()
    loop.join()
  }

  @Test func `runs the tasks that prefer it and the actors that they call`() async throws {
    let loop = try EventLoop.spawn(index: 0, name: "test")
    let room = Room(loop)
    let isOnLoop = await Task(executorPreference: LoopTaskExecutor(loop: loop)) {
      let wasThere = await room.visit()
      return wasThere && loop.isCurrent
    }.value
    #expect(isOnLoop)
    loop.stop()
    loop.join()
  }

  @Test func `starves no timer while tasks yield to each other for ever`() async throws {
    let loop = try EventLoop.spawn(index: 0, name: "test")
    let isOver = Gate()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask(executorPreference: LoopTaskExecutor(loop: loop)) {
          while isOver.count == 0 { await Task.yield() }
        }
      }
      loop.post { loop.after(5) { isOver.pass() } }
    }
    loop.stop()
    loop.join()
  }

  @Test(
    .disabled(
      if: getenv("SLUICE_SANITIZER") != nil, "a job that is never run holds its loop for ever"))
  func `counts the jobs that come after it has stopped`() async throws {
    let loop = try EventLoop.spawn(index: 0, name: "test")
    loop.stop()
    loop.join()
    Task(executorPreference: LoopTaskExecutor(loop: loop)) {}
    #expect(loop.lostJobs == 1)
  }

  @Test func `answers whether it isolates the caller`() throws {
    try withLoop { loop in
      #expect(loop.isIsolatingCurrentContext() == false)
      try #expect(loop.sync { loop.isIsolatingCurrentContext() } == true)
    }
  }
}
