import Gateway
import Testing

@testable import PluginHost

@Suite struct LoopWatchTests {
  private static func withWatch(_ body: (UnsafeMutablePointer<CallMark>, LoopWatch) -> Void) {
    let mark = UnsafeMutablePointer<CallMark>.allocate(capacity: 1)
    mark.initialize(to: CallMark())
    defer {
      mark.deinitialize(count: 1)
      mark.deallocate()
    }
    body(mark, LoopWatch(mark))
  }

  @Test func `a loop that is in no plugin is never named`() {
    Self.withWatch { _, watch in
      for _ in 1...3 { #expect(watch.overstayed() == nil) }
    }
  }

  @Test func `a call that goes on from one look to the next is named once`() {
    Self.withWatch { mark, watch in
      mark.pointee.enter(7, "handle")
      #expect(watch.overstayed() == nil)
      let named = watch.overstayed()
      #expect(named?.instance == 7)
      #expect(named?.function == "handle")
      #expect(watch.overstayed() == nil)
      mark.pointee.leave()
      #expect(watch.overstayed() == nil)
    }
  }

  @Test func `one call after another is not one long call`() {
    Self.withWatch { mark, watch in
      for _ in 1...5 {
        mark.pointee.enter(7, "handle")
        #expect(watch.overstayed() == nil)
        mark.pointee.leave()
      }
      mark.pointee.enter(7, "handle")
      #expect(watch.overstayed() == nil)
      #expect(watch.overstayed() != nil)
      mark.pointee.leave()
      mark.pointee.enter(8, "timer")
      #expect(watch.overstayed() == nil)
      #expect(watch.overstayed()?.instance == 8)
    }
  }

  @Test func `a plugin that is called while another is called is part of the outer call`() {
    Self.withWatch { mark, watch in
      mark.pointee.enter(7, "handle")
      mark.pointee.enter(8, "call")
      mark.pointee.leave()
      // A mark cannot be copied, and the macro copies what it looks into.
      let isStillInside = mark.pointee.isInside
      #expect(isStillInside)
      #expect(watch.overstayed() == nil)
      #expect(watch.overstayed()?.instance == 7)
      mark.pointee.leave()
      let isInside = mark.pointee.isInside
      #expect(!isInside)
    }
  }
}
