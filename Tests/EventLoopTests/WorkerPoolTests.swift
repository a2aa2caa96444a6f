import Glibc
import Testing

@testable import EventLoop

@Suite struct `A worker pool` {
  @Test func `runs work on its threads and completes on the loop`() throws {
    let pool = try WorkerPool(name: "work", threads: 2, queueLimit: 100)
    try withLoop { loop in
      let results = Locked<[Int]>([])
      for number in 0..<100 {
        let isTaken = pool.submit(on: loop) {
          #expect(!loop.isCurrent)
          return number * 2
        } completion: { result in
          #expect(loop.isCurrent)
          results.withLock { $0.append(result) }
        }
        #expect(isTaken)
      }
      try eventually { results.withLock { $0.count == 100 } }
      #expect(results.withLock { $0.sorted() } == (0..<100).map { $0 * 2 })
    }
    pool.stop()
  }

  @Test func `refuses what does not fit, and drains what does when it stops`() throws {
    let pool = try WorkerPool(name: "work", threads: 1, queueLimit: 2)
    let mayGo = Gate()
    let ran = Gate()
    let job: @Sendable () -> Void = {
      while mayGo.count == 0 { usleep(1000) }
      ran.pass()
    }
    #expect(pool.submit(job))
    while pool.load.running == 0 { usleep(1000) }
    #expect(pool.submit(job))
    #expect(pool.submit(job))
    #expect(!pool.submit(job))
    #expect(pool.load == (2, 1))
    mayGo.pass()
    pool.stop()
    #expect(ran.count == 3)
    #expect(!pool.submit {})
    pool.stop()
  }

  @Test func `can be awaited, and throws when it is full`() async throws {
    let pool = try WorkerPool(name: "work", threads: 1, queueLimit: 1)
    try #expect(await pool.run { 6 * 7 } == 42)
    pool.stop()
    let error = await #expect(throws: WorkerPoolFull.self) { try await pool.run {} }
    #expect(error?.description.contains("work") == true)
  }

  @Test func `passes words through global functions`() throws {
    let pool = try WorkerPool(name: "work", threads: 1, queueLimit: 1)
    let done = Answer<UInt64>()
    try withLoop { loop in
      #expect(
        pool.submit(
          on: loop, { _, _ in }, UInt64(address: Unmanaged.passUnretained(done).toOpaque()), 9
        ) { answer, word in
          Unmanaged<Answer<UInt64>>.fromOpaque(UnsafeMutableRawPointer(address: answer))
            .takeUnretainedValue().give(word)
        })
      try #expect(done.wait() == 9)
    }
    pool.stop()
  }

  @Test func `names its threads and lowers their priority alone`() throws {
    let pool = try WorkerPool(name: "hash", threads: 1, queueLimit: 1, niceness: 10)
    let seen = Answer<String>()
    let mine = getpriority(Int32(PRIO_PROCESS.rawValue), 0)
    #expect(
      pool.submit {
        var name = [UInt8](repeating: 0, count: 16)
        let file = open("/proc/thread-self/comm", O_RDONLY)
        let count = read(file, &name, name.count)
        close(file)
        let priority = getpriority(Int32(PRIO_PROCESS.rawValue), 0)
        seen.give("\(String(decoding: name.prefix(count - 1), as: UTF8.self)) \(priority)")
      })
    try #expect(seen.wait() == "hash-0 \(mine + 10)")
    #expect(getpriority(Int32(PRIO_PROCESS.rawValue), 0) == mine)
    pool.stop()
  }
}
