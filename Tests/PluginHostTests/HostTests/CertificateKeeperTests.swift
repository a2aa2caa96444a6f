import EventLoop
import Gateway
import TLS
import Testing

@testable import PluginHost

@Suite struct `A keeper of certificates` {
  @Test func `rotates the keys of session tickets again and again`() async throws {
    let log = Log(writer: try LogWriter(path: "stderr"), level: .error)
    let keeper = try CertificateKeeper(dataDirectory: "/nowhere", log: log)
    let loop = try EventLoop.spawn(index: 0, name: "control")
    defer {
      loop.stop()
      loop.join()
    }
    #expect(keeper.tickets.rotations == 0)
    keeper.keepLooking(on: loop, lookingEvery: 1_000, rotatingEvery: 2)
    while keeper.tickets.rotations < 3 { try await Task.sleep(for: .milliseconds(2)) }
  }

  @Test func `rotates them once in the time that a ticket is good for`() {
    #expect(TicketKeys.lifetime == 3_600)
  }
}
