import Glibc
import Testing

@testable import EventLoop

@Suite struct `Writing to a slow peer` {
  static let megabyte: [UInt8] = (0..<1 << 20).map {
    UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8)
  }

  @Test func `queues exactly what the kernel did not take, and closing frees all of it`() throws {
    try withServer { server in
      server.onAccept = { stream in
        stream.startReading()
        let total = 16 * Self.megabyte.count
        var outcome = WriteOutcome.written
        for _ in 0..<16 {
          outcome = Self.megabyte.withUnsafeBytes { stream.write($0) }
        }
        #expect(outcome == .queued)
        let queued = stream.queuedBytes
        #expect(queued < total)
        #expect(queued > total / 2)
        // Nothing more fits, so a refused try changes nothing and a write adds its size exactly.
        let bytes = [UInt8](repeating: 7, count: 1000)
        bytes.withUnsafeBytes { bytes in
          #expect(stream.tryWrite(bytes) == 0)
          #expect(stream.queuedBytes == queued)
          #expect(stream.write(bytes) == .queued)
          #expect(stream.queuedBytes == queued + 1000)
        }
        stream.loop.after(20) { stream.close() }
      }
    } _: { server in
      let client = try Client(port: server.port, receiveBuffer: 4096)
      try server.events.wait(for: "closed")
      #expect(server.events.all == ["accepted", "closed"])
      client.close()
    }
  }

  @Test func `delivers every byte in order, copies and shares alike, and says when it is drained`()
    throws
  {
    let expected = Locked<[UInt8]>([])
    try withServer { server in
      server.onAccept = { stream in
        var sent: [UInt8] = []
        var random = SystemRandomNumberGenerator()
        let chunk = Self.megabyte.withUnsafeBytes { SharedChunk.make(copying: $0) }
        while sent.count < 12 << 20 {
          if Int.random(in: 0..<8, using: &random) == 0 {
            let offset = Int.random(in: 0...chunk.count, using: &random)
            _ = stream.write(shared: chunk, from: offset)
            sent += Self.megabyte[offset...]
          } else {
            let size = Int.random(in: 0..<100_000, using: &random)
            Self.megabyte.withUnsafeBytes {
              _ = stream.write(UnsafeRawBufferPointer(rebasing: $0[..<size]))
            }
            sent += Self.megabyte[..<size]
          }
        }
        chunk.release()
        expected.withLock { $0 = sent }
        #expect(stream.queuedBytes > 0)
      }
      server.onDrained = { stream in
        #expect(stream.queuedBytes == 0)
        "end".utf8.withContiguousStorageIfAvailable { _ = stream.write(.init($0)) }
        stream.shutdownThenClose()
      }
    } _: { server in
      let client = try Client(port: server.port, receiveBuffer: 65536)
      let received = try client.receive(64 << 20)
      #expect(expected.withLock { received == $0 + Array("end".utf8) })
      client.close()
      try server.events.wait(for: "closed")
      #expect(server.events.all == ["accepted", "drained", "closed"])
    }
  }

  @Test func `reports a peer that goes away with bytes still queued`() throws {
    try withServer { server in
      let events = server.events
      server.onAccept = { stream in
        for _ in 0..<16 { _ = Self.megabyte.withUnsafeBytes { stream.write($0) } }
        events.add("queued")
      }
    } _: { server in
      let client = try Client(port: server.port)
      try server.events.wait(for: "queued")
      client.reset()
      try server.events.wait(for: "closed")
      #expect(server.events.all.count == 4)
      #expect(server.events.all[2].hasPrefix("error"))
    }
  }

  @Test func `gathers from several places`() throws {
    try withServer { server in
      server.onAccept = { stream in
        let (one, two): ([UInt8], [UInt8]) = (Array("one,".utf8), Array("two".utf8))
        one.withUnsafeBytes { one in
          two.withUnsafeBytes { two in
            let parts = [one, UnsafeRawBufferPointer(start: nil, count: 0), two]
            parts.withUnsafeBufferPointer { #expect(stream.tryWrite(gathering: $0) == 7) }
          }
        }
        stream.close()
      }
    } _: { server in
      try #expect(Client(port: server.port).receiveText(100) == "one,two")
    }
  }
}

@Suite struct `Finishing a stream` {
  @Test func `lets the last answer reach a peer that is still sending`() throws {
    try withServer { server in
      server.onRead = { stream, _ in
        "no more".utf8.withContiguousStorageIfAvailable { _ = stream.write(.init($0)) }
        stream.shutdownThenClose()
        stream.shutdownThenClose()
        #expect(!stream.isReading)
        "late".utf8.withContiguousStorageIfAvailable {
          #expect(stream.write(.init($0)) != .written)
        }
      }
    } _: { server in
      let client = try Client(port: server.port)
      for _ in 0..<64 { try client.send([UInt8](repeating: 0, count: 65536)) }
      try #expect(client.receiveText(100) == "no more")
      client.close()
      try server.events.wait(for: "closed")
      #expect(server.events.all == ["accepted", "closed"])
    }
  }

  @Test func `waits for what is queued`() throws {
    let bytes = [UInt8](repeating: 5, count: 8 << 20)
    try withServer { server in
      server.onAccept = { stream in
        #expect(bytes.withUnsafeBytes { stream.write($0) } == .queued)
        stream.shutdownThenClose()
      }
    } _: { server in
      let client = try Client(port: server.port)
      try #expect(client.receive(16 << 20) == bytes)
      client.close()
      try server.events.wait(for: "closed")
    }
  }

  @Test func `works after the peer's end`() throws {
    try withServer {
      $0.onEOF = { $0.shutdownThenClose() }
    } _: { server in
      let client = try Client(port: server.port)
      client.endSending()
      try #expect(client.receive(1) == [])
      try server.events.wait(for: "closed")
    }
  }

  @Test(arguments: [0, 8 << 20])
  func `gives up on a peer that does nothing`(queued: Int) throws {
    let bytes = [UInt8](repeating: 5, count: queued)
    try withServer { server in
      server.onAccept = { stream in
        _ = bytes.withUnsafeBytes { stream.write($0) }
        stream.shutdownThenClose()
      }
    } _: { server in
      let client = try Client(port: server.port, receiveBuffer: 4096)
      // What the peer's machine takes by itself is progress, once; then five seconds of nothing end it.
      try server.events.wait(for: "closed")
      client.close()
    }
  }
}
