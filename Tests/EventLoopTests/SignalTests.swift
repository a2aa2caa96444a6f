import EventLoop
import Glibc
import Testing

@Suite struct `Signals` {
  @Test func `arrive on the loop until the source is closed`() throws {
    let log = EventLog()
    try withLoop { loop in
      try loop.sync {
        _ = try SignalSource(loop: loop, signals: [SIGUSR1, SIGUSR2, SIGHUP]) { signal in
          #expect(loop.isCurrent)
          log.add("\(signal)")
        }
      }
      for signal in [SIGUSR1, SIGHUP, SIGUSR2] {
        kill(getpid(), signal)
        try log.wait(for: "\(signal)")
      }
      let error = #expect(throws: SystemError.self) {
        try loop.sync { _ = try SignalSource(loop: loop, signals: [SIGKILL]) { _ in } }
      }
      #expect(error?.code == EINVAL)
    }
  }
}
