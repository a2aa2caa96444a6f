import Synchronization
import Testing

@testable import EventLoop

@Suite struct `Tick-end hooks` {
  final class Scene: Sendable {
    let log = EventLog()
    let rounds = Atomic<Int>(0)
    let hooks = Locked<[TickHookBox]>([])

    var word: UInt64 { UInt64(address: Unmanaged.passUnretained(self).toOpaque()) }

    static func at(_ word: UInt64) -> Scene {
      Unmanaged<Scene>.fromOpaque(UnsafeMutableRawPointer(address: word)).takeUnretainedValue()
    }
  }

  /// `@unchecked Sendable`: used on the loop's thread alone.
  struct TickHookBox: @unchecked Sendable { let hook: TickHook }

  @Test func `run once per tick, however often they are armed, in the order of registration`()
    throws
  {
    let scene = Scene()
    try withLoop { loop in
      try loop.sync {
        let first = loop.addTickEndHook({ Scene.at($0).log.add("first") }, scene.word)
        let second = loop.addTickEndHook({ Scene.at($0).log.add("second") }, scene.word)
        second.arm()
        first.arm()
        first.arm()
        scene.log.add("work")
      }
      try scene.log.wait(for: "second")
      try loop.sync {}
      #expect(scene.log.all == ["work", "first", "second"])
    }
  }

  @Test func `armed by a timer run before the loop waits`() throws {
    let scene = Scene()
    try withLoop { loop in
      try loop.sync {
        let hook = loop.addTickEndHook({ Scene.at($0).log.add("hook") }, scene.word)
        loop.after(1) { hook.arm() }
      }
      try scene.log.wait(for: "hook")
    }
  }

  @Test func `see what posts of the same tick have done`() throws {
    let scene = Scene()
    try withLoop { loop in
      try loop.sync {
        let hook = loop.addTickEndHook({ Scene.at($0).log.add("hook") }, scene.word)
        hook.arm()
        loop.post { scene.log.add("post") }
      }
      try scene.log.wait(for: "hook")
      #expect(scene.log.all == ["post", "hook"])
    }
  }

  @Test func `that arm themselves for ever leave the loop alive`() throws {
    let scene = Scene()
    try withLoop { loop in
      try loop.sync {
        let hook = loop.addTickEndHook(
          { word in
            let scene = Scene.at(word)
            scene.rounds.add(1, ordering: .relaxed)
            scene.hooks.withLock { $0.first }?.hook.arm()
          }, scene.word)
        scene.hooks.withLock { $0.append(TickHookBox(hook: hook)) }
        hook.arm()
      }
      try eventually { scene.rounds.load(ordering: .relaxed) > 1000 }
      try loop.sync { scene.hooks.withLock { $0.removeAll() } }
    }
  }

  @Test func `of the ticker run about once a second`() throws {
    let scene = Scene()
    try withLoop { loop in
      try loop.sync { loop.addTickerHook({ Scene.at($0).log.add("second") }, scene.word) }
      try scene.log.wait(for: "second", times: 2)
    }
  }
}
