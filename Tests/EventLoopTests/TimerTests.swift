import EventLoop
import Synchronization
import Testing

@Suite struct `Timers` {
  @Test func `expire once, not before their time`() throws {
    try withLoop { loop in
      let start = EventLoop.hrtime()
      let end = Answer<UInt64>()
      let calls = Gate()
      try loop.sync {
        loop.after(30) {
          calls.pass()
          end.give(EventLoop.hrtime())
        }
      }
      // libuv counts from the beginning of the tick, in whole milliseconds.
      try #expect(end.wait() - start >= 28_000_000)
      pause(milliseconds: 60)
      #expect(calls.count == 1)
    }
  }

  @Test func `repeat until they are closed, also from inside`() throws {
    try withLoop { loop in
      let log = EventLog()
      try loop.sync {
        let timer = Holder()
        timer.value = loop.every(2) {
          log.add("tick")
          if log.count("tick") == 3 { timer.value?.close() }
        }
      }
      try log.wait(for: "tick", times: 3)
      pause(milliseconds: 20)
      #expect(log.count("tick") == 3)
    }
  }

  @Test func `with a function can be stopped and started anew`() throws {
    try withLoop { loop in
      let count = Counter()
      let word = UInt64(address: Unmanaged.passUnretained(count).toOpaque())
      try loop.sync {
        let timer = Timer(
          loop: loop,
          {
            Unmanaged<Counter>.fromOpaque(UnsafeMutableRawPointer(address: $0))
              .takeUnretainedValue().value.add(1, ordering: .relaxed)
          }, word)
        timer.start(after: 1)
        #expect(timer.isActive)
        timer.stop()
        #expect(!timer.isActive)
        timer.start(after: 2)
        timer.start(after: 3, repeating: 1000)
      }
      try eventually { count.value.load(ordering: .relaxed) == 1 }
    }
  }

  @Test func `release their closure with the loop`() throws {
    let canary = Canary()
    try withLoop { loop in
      try loop.sync {
        let witness = canary.makeWitness()
        _ = loop.every(60_000) { withExtendedLifetime(witness) {} }
        loop.after(60_000) { withExtendedLifetime(witness) {} }
      }
      #expect(canary.alive == 1)
    }
    #expect(canary.alive == 0)
  }

  private final class Holder { var value: Timer? }

  private final class Counter: Sendable { let value = Atomic<Int>(0) }
}

@Suite struct `The loop's clock` {
  private final class Flag: Sendable { let value = Atomic<Bool>(false) }

  @Test func `tells wall time and monotonic time`() throws {
    try withLoop { loop in
      let wall = try loop.sync { loop.unixMilliseconds }
      // 2024-01-01 and 2100-01-01.
      #expect((1_704_067_200_000..<4_102_444_800_000).contains(wall))
      let first = try loop.sync { loop.now }
      pause(milliseconds: 15)
      try #expect(loop.sync { loop.now } >= first + 10)
    }
  }

  @Test func `shows a blocked loop to other threads, and an idle one as idle`() throws {
    try withLoop { loop in
      try loop.sync {}
      try eventually { loop.busySince == 0 }
      let released = Flag()
      defer { released.value.store(true, ordering: .releasing) }
      loop.post { while !released.value.load(ordering: .acquiring) { pause(milliseconds: 1) } }
      try eventually { loop.busySince != 0 }
      let since = loop.busySince
      pause(milliseconds: 20)
      #expect(loop.busySince == since)
      #expect(EventLoop.hrtime() - since >= 20_000_000)
      released.value.store(true, ordering: .releasing)
      try eventually { loop.busySince == 0 }
    }
  }

  @Test func `measures how late its ticker comes`() throws {
    try withLoop { loop in
      try loop.sync { loop.after(800) { pause(milliseconds: 500) } }
      try eventually { loop.lag > 100_000_000 }
    }
  }
}
