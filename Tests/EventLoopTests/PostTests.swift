import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite struct `Posts` {
  @Test func `of many threads all run, those of one thread in their order`() throws {
    try withLoop { loop in
      let (threads, each) = (8, 5_000)
      let seen = Seen()
      spawnThreads(threads) { thread in
        for number in 0..<each {
          if number % 2 == 0 {
            loop.post { seen.add(thread, number) }
          } else {
            loop.post(
              { seen, word in
                Unmanaged<Seen>.fromOpaque(UnsafeMutableRawPointer(address: seen))
                  .takeUnretainedValue().add(Int(word >> 32), Int(word & 0xffff_ffff))
              }, UInt64(address: Unmanaged.passUnretained(seen).toOpaque()),
              UInt64(thread) << 32 | UInt64(number))
          }
        }
      }
      try loop.sync {}
      for thread in 0..<threads {
        #expect(seen.numbers(of: thread) == Array(0..<each))
      }
      #expect(seen.areAllOnOneThread)
    }
  }

  @Test func `from the loop's own thread run later, never inside the caller`() throws {
    try withLoop { loop in
      let log = EventLog()
      try loop.sync {
        loop.post {
          loop.post { log.add("inner") }
          log.add("outer")
        }
        log.add("first")
      }
      try log.wait(for: "inner")
      #expect(log.all == ["first", "outer", "inner"])
    }
  }

  @Test func `that post themselves for ever leave timers their turn`() throws {
    try withLoop { loop in
      let fired = Answer<Bool>()
      let again = Again(loop: loop)
      try loop.sync {
        again.go()
        loop.after(5) { fired.give(true) }
      }
      try #expect(fired.wait())
      again.isOver.store(true, ordering: .relaxed)
    }
  }

  @Test func `to a stopped loop are refused, and those accepted before have run`() throws {
    let loop = try EventLoop.spawn(index: 0, name: "test")
    let counts = Counts()
    spawnThreads(3) { thread in
      if thread == 0 {
        pause(milliseconds: 20)
        loop.stop()
        loop.join()
        counts.isOver.store(true, ordering: .relaxed)
      } else {
        while !counts.isOver.load(ordering: .relaxed) {
          if loop.post({ counts.ran.add(1, ordering: .relaxed) }) {
            counts.accepted.add(1, ordering: .relaxed)
          }
        }
      }
    }
    #expect(counts.accepted.load(ordering: .relaxed) > 0)
    #expect(counts.ran.load(ordering: .relaxed) == counts.accepted.load(ordering: .relaxed))
    #expect(!loop.post {})
    let isTaken = loop.post({ _, _ in }, 1, 2)
    #expect(!isTaken)
  }

  @Test func `before the loop runs wait for it, and a loop that never runs frees them`() throws {
    let canary = Canary()
    let loop = try EventLoop(index: 0)
    let log = EventLog()
    #expect(loop.post { log.add("early") })
    loop.stop()
    loop.run()
    #expect(log.all == ["early"])

    do {
      let idle = try EventLoop(index: 1)
      let witness = canary.makeWitness()
      #expect(idle.post { withExtendedLifetime(witness) {} })
    }
    #expect(canary.alive == 0)
  }

  @Test func `know their loop`() throws {
    try withLoop { loop in
      #expect(EventLoop.current == nil)
      #expect(!loop.isCurrent)
      try #expect(loop.sync { loop.isCurrent && EventLoop.current === loop })
      #expect(loop.index == 7)
    }
  }
}

private final class Counts: Sendable {
  let ran = Atomic<Int>(0)
  let accepted = Atomic<Int>(0)
  let isOver = Atomic<Bool>(false)
}

/// Posts itself until it is over.
private final class Again: Sendable {
  let loop: EventLoop
  let isOver = Atomic<Bool>(false)

  init(loop: EventLoop) { self.loop = loop }

  func go() {
    guard !isOver.load(ordering: .relaxed) else { return }
    loop.post { self.go() }
  }
}

/// Counts objects that have not been freed.
final class Canary: Sendable {
  private let count = Atomic<Int>(0)

  final class Witness: Sendable {
    let canary: Canary
    init(_ canary: Canary) { self.canary = canary }
    deinit { canary.count.add(-1, ordering: .relaxed) }
  }

  func makeWitness() -> Witness {
    count.add(1, ordering: .relaxed)
    return Witness(self)
  }

  var alive: Int { count.load(ordering: .relaxed) }
}

private final class Seen: Sendable {
  private let lists = Locked<[Int: [Int]]>([:])
  private let threads = Locked<Set<UInt>>([])

  func add(_ thread: Int, _ number: Int) {
    lists.withLock { $0[thread, default: []].append(number) }
    threads.withLock { _ = $0.insert(UInt(pthread_self())) }
  }

  func numbers(of thread: Int) -> [Int] { lists.withLock { $0[thread] ?? [] } }

  var areAllOnOneThread: Bool { threads.withLock { $0.count == 1 } }
}

/// Runs `body` on so many threads at once, and waits for all.
func spawnThreads(_ count: Int, _ body: @Sendable (Int) -> Void) {
  struct Task {
    let number: Int
    let body: @Sendable (Int) -> Void
  }
  withoutActuallyEscaping(body) { body in
    let tasks = UnsafeMutablePointer<Task>.allocate(capacity: count)
    var threads: [pthread_t] = []
    for number in 0..<count {
      (tasks + number).initialize(to: Task(number: number, body: body))
      var thread = pthread_t()
      pthread_create(
        &thread, nil,
        { task in
          let task = task!.assumingMemoryBound(to: Task.self).pointee
          task.body(task.number)
          return nil
        }, tasks + number)
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    tasks.deinitialize(count: count)
    tasks.deallocate()
  }
}
