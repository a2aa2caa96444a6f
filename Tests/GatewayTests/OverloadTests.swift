import Testing

@testable import Gateway

@Suite struct `The gate that sheds for lag` {
  /// Whether the gate is over after each of these samples, which come a second apart.
  private func states(_ samples: [Int], bound: Int = 500, step: UInt64 = 1000) -> [Bool] {
    var gate = OverloadGate.lag(bound: bound)
    return samples.enumerated().map { index, sample in
      gate.take(sample, now: 10_000 + UInt64(index) * step)
      return gate.isOver
    }
  }

  @Test(arguments: [500, 3_000, 1_000_000])
  func `passes over one hiccup, however long, and over two`(lag: Int) {
    #expect(states([0, lag, 0, 0, lag, 0]) == [false, false, false, false, false, false])
    #expect(states([0, lag, lag, 0, lag, lag, 499]) == Array(repeating: false, count: 7))
  }

  @Test func `sheds when the loop has been late for two seconds on end`() {
    #expect(states([500, 600, 500]) == [false, false, true])
    #expect(states([499, 500, 600, 500]) == [false, false, false, true])
    // A loop that is blocked for long looks seldom.
    #expect(states([4000, 4000], step: 4000) == [false, true])
  }

  @Test
  func `takes connections again when the loop has been well below the bound for three seconds`() {
    let late = [500, 500, 500]
    #expect(states(late + [0, 0, 0, 0]) == [false, false, true, true, true, true, false])
    // Half of the bound is not well below it, and begins the three seconds anew.
    #expect(states(late + [249, 249, 250, 249, 249, 249]).last == true)
    #expect(states(late + [249, 249, 250, 249, 249, 249, 249]).last == false)
  }

  @Test func `does not flap at the bound`() {
    let samples = [500, 500, 500] + Array(repeating: [499, 501], count: 50).flatMap { $0 }
    let seen = states(samples)
    #expect(zip(seen, seen.dropFirst()).count { $0 != $1 } == 1)
  }

  @Test func `is open without a bound, at once when the bound is taken away`() {
    #expect(states([9999, 9999, 9999, 9999], bound: 0) == [false, false, false, false])
    var gate = OverloadGate.lag(bound: 100)
    for second in 0..<4 { gate.take(100, now: UInt64(second) * 1000) }
    #expect(gate.isOver)
    gate.bound = 0
    gate.take(100, now: 4000)
    #expect(!gate.isOver)
    gate.bound = 100
    gate.take(100, now: 5000)
    #expect(!gate.isOver)
  }

  @Test func `goes by another bound from the next sample on`() {
    var gate = OverloadGate.lag(bound: 100)
    for second in 0..<4 { gate.take(100, now: UInt64(second) * 1000) }
    #expect(gate.isOver)
    gate.bound = 300
    for second in 4..<8 { gate.take(100, now: UInt64(second) * 1000) }
    #expect(!gate.isOver)
  }
}

@Suite struct `The watch on memory` {
  private static let gigabyte = 1 << 30

  @Test
  func `sheds at the first sample over the bound, and until less than nine tenths of it are held`()
  {
    var watch = MemoryWatch()
    var now: UInt64 = 1000
    func isOver(holding bytes: Int) -> Bool {
      now += 1000
      _ = watch.sample(bound: Self.gigabyte, now: now) { bytes }
      return watch.isOver
    }
    #expect(!isOver(holding: Self.gigabyte - 1))
    #expect(isOver(holding: Self.gigabyte))
    for _ in 0..<10 { #expect(isOver(holding: Self.gigabyte * 91 / 100)) }
    for _ in 0..<3 { #expect(isOver(holding: Self.gigabyte * 89 / 100)) }
    #expect(!isOver(holding: Self.gigabyte * 89 / 100))
  }

  @Test
  func
    `reads the kernel's number once a second, however many loops ask, and not at all without a bound`()
  {
    var watch = MemoryWatch()
    var reads = 0
    for tick in 0..<100 {
      let now = 5000 + UInt64(tick) * 100
      for _ in 0..<8 {
        _ = watch.sample(bound: 1, now: now) {
          reads += 1
          return 0
        }
      }
    }
    #expect(reads == 12)
    for now in [UInt64(100_000), 200_000] {
      _ = watch.sample(bound: 0, now: now) {
        reads += 1
        return 0
      }
    }
    #expect(reads == 12)
  }

  @Test func `tells its owner of each change, and every ten seconds while there is too little`() {
    var watch = MemoryWatch()
    var told: [Int] = []
    for second in 0..<40 {
      let held = (5..<28).contains(second) ? 100 : 10
      if watch.sample(bound: 100, now: UInt64(second + 1) * 1000, { held }) != nil {
        told.append(second)
      }
    }
    #expect(told == [5, 15, 25, 31])
  }
}

@Suite struct `The return of freed memory` {
  private let megabyte = 1 << 20

  /// Whether memory is returned at each of these looks, ten seconds apart.
  private func returns(_ samples: [(connections: Int, megabytes: Int)]) -> [Bool] {
    var state = MemoryReturn()
    return samples.enumerated().map { index, sample in
      state.isDue(connections: sample.connections, now: UInt64(index) * MemoryReturn.interval) {
        sample.megabytes * megabyte
      }
    }
  }

  @Test func `waits until memory has grown, and then until it has grown again`() {
    let seen = returns([(0, 30), (10, 45), (10, 46), (10, 46), (10, 61), (10, 62)])
    #expect(seen == [false, false, true, false, false, true])
  }

  @Test func `comes when many have left`() {
    let seen = returns([(1_000, 60), (1_000, 60), (751, 60), (563, 60), (99, 60), (0, 60)])
    #expect(seen == [false, false, false, true, true, false])
  }

  @Test func `looks at the memory every ten seconds only`() {
    var state = MemoryReturn()
    var looks = 0
    for second in 0..<25 {
      _ = state.isDue(connections: 0, now: UInt64(second) * 1_000) {
        looks += 1
        return 0
      }
    }
    #expect(looks == 3)
  }
}
