import Glibc
import Testing

@testable import EventLoop

@Suite struct `The longest tick` {
  private static let sleep: UInt64 = 20

  private static func block() { usleep(UInt32(sleep) * 1000) }

  /// A clock that counts milliseconds may miss one.
  private static let least = (sleep - 1) * 1_000_000

  @Test func `covers posts that others had to wait for`() throws {
    try withLoop { loop in
      try loop.sync { _ = loop.takeLongestTick() }
      try loop.sync { Self.block() }
      try loop.sync { #expect(loop.takeLongestTick() >= Self.least) }
    }
  }

  @Test func `covers the tick that runs`() throws {
    try withLoop { loop in
      try loop.sync {
        _ = loop.takeLongestTick()
        Self.block()
        #expect(loop.takeLongestTick() >= Self.least)
      }
    }
  }

  @Test func `covers timers`() throws {
    let log = EventLog()
    try withLoop { loop in
      try loop.sync {
        _ = loop.takeLongestTick()
        loop.after(1) {
          Self.block()
          log.add("blocked")
        }
      }
      try log.wait(for: "blocked")
      try loop.sync { #expect(loop.takeLongestTick() >= Self.least) }
    }
  }

  @Test func `is measured anew after each look`() throws {
    try withLoop { loop in
      try loop.sync {
        Self.block()
        let first = loop.takeLongestTick()
        // Nothing lies between the two looks, in the same tick.
        #expect(loop.takeLongestTick() < first)
      }
    }
  }
}
