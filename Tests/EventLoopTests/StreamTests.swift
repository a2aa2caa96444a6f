import Glibc
import Testing

@testable import EventLoop

@Suite struct `A stream` {
  @Test func `tells the end of its peer once, and can still answer`() throws {
    try withServer { server in
      server.onEOF = { stream in
        #expect(stream.hasEnded)
        #expect("bye".utf8.withContiguousStorageIfAvailable { stream.write(.init($0)) } == .written)
        stream.close()
      }
    } _: { server in
      let client = try Client(port: server.port)
      client.endSending()
      try #expect(client.receiveText(100) == "bye")
      try server.events.wait(for: "closed")
      #expect(server.events.all == ["accepted", "eof", "closed"])
    }
  }

  @Test func `whose peer resets it reports the error and closes itself`() throws {
    try withServer { _ in
    } _: { server in
      let client = try Client(port: server.port)
      try server.events.wait(for: "accepted")
      client.reset()
      try server.events.wait(for: "closed")
      #expect(server.events.all.count == 3)
      #expect(server.events.all[1].contains("ECONNRESET"))
    }
  }

  @Test func `may be closed in each callback, and twice`() throws {
    try withServer { server in
      server.onRead = { stream, _ in
        stream.close()
        stream.close()
        stream.reset()
        stream.shutdownThenClose()
        stream.startReading()
        stream.stopReading()
        #expect(stream.isClosing)
        let bytes: [UInt8] = [1]
        bytes.withUnsafeBytes {
          #expect(stream.tryWrite($0) < 0)
          #expect(stream.write($0) != .written)
        }
      }
      server.onClosed = { stream in stream.close() }
    } _: { server in
      let client = try Client(port: server.port)
      try client.send("x")
      try #expect(client.receive(1) == [])
      try server.events.wait(for: "closed")

      server.onAccept = { $0.close() }
      try #expect(Client(port: server.port).receive(1) == [])
      try server.events.wait(for: "closed", times: 2)

      server.onAccept = { $0.startReading() }
      server.onError = { stream, _ in stream.close() }
      let third = try Client(port: server.port)
      try server.events.wait(for: "accepted", times: 3)
      third.reset()
      try server.events.wait(for: "closed", times: 3)
      pause(milliseconds: 20)
      #expect(server.events.count("closed") == 3)
    }
  }

  @Test func `reads only while it is told to`() throws {
    let got = Locked<[UInt8]>([])
    try withServer { server in
      server.onAccept = { stream in
        stream.startReading()
        stream.startReading()
        stream.stopReading()
        stream.stopReading()
        #expect(!stream.isReading)
        stream.loop.after(50) {
          #expect(got.withLock { $0.isEmpty })
          stream.startReading()
          #expect(stream.isReading)
        }
      }
      server.onRead = { _, bytes in got.withLock { $0 += bytes } }
    } _: { server in
      let client = try Client(port: server.port)
      try client.send("later")
      try eventually { got.withLock { $0 == Array("later".utf8) } }
    }
  }

  @Test func `resets with an error at the peer`() throws {
    try withServer {
      $0.onRead = { stream, _ in stream.reset() }
    } _: { server in
      let client = try Client(port: server.port)
      try client.send("x")
      #expect(client.readError() == ECONNRESET)
      try server.events.wait(for: "closed")
    }
  }

  @Test func `keeps 16-aligned memory for its owner, zero at first`() throws {
    struct Owner: BitwiseCopyable {
      var server: UInt64
      var numbers: SIMD4<UInt64>
    }
    #expect(TCPStream.userOffset % 16 == 0)
    try withServer { server in
      server.onRead = { stream, _ in
        let memory = stream.user(as: UInt64.self)
        #expect(UInt(bitPattern: memory) % 16 == 0)
        #expect(TCPStream(userMemory: memory).peer == stream.peer)
        stream.close()
      }
    } _: { server in
      let client = try Client(port: server.port)
      try client.send("x")
      try server.events.wait(for: "closed")
    }
  }

  @Test func `gets its loop's context and output buffer`() throws {
    try withServer { server in
      server.onRead = { stream, bytes in
        let output = stream.loop.output
        #expect(stream.loopContext == UnsafeMutableRawPointer(bitPattern: 0x1000))
        output.append("<")
        output.append(bytes)
        output.append(UInt8(ascii: ">"))
        #expect(stream.flush(output) == .written)
        #expect(output.isEmpty)
      }
    } _: { server in
      try server.loops[0].sync {
        server.loops[0].context = UnsafeMutableRawPointer(bitPattern: 0x1000)
      }
      let client = try Client(port: server.port)
      try client.send("abc")
      try #expect(client.receiveText(5) == "<abc>")
    }
  }

  private static let other = StreamCallbacks(
    onRead: { stream, _, _ in
      "other".utf8.withContiguousStorageIfAvailable { _ = stream.write(.init($0)) }
    },
    onEOF: { $0.close() }, onError: { _, _ in }, onDrained: { _ in }, onClosed: { _ in }
  ).makeTable()

  @Test func `changes its callbacks while it is open`() throws {
    try withServer { server in
      server.onRead = { stream, bytes in
        _ = stream.write(bytes)
        stream.setCallbacks(Self.other)
      }
    } _: { server in
      let client = try Client(port: server.port)
      try client.send("first")
      try #expect(client.receiveText(5) == "first")
      try client.send("again")
      try #expect(client.receiveText(5) == "other")
    }
  }

  @Test func `is closed, and says so, when its loop stops`() throws {
    let server = try TestServer(loops: 1)
    try server.listen()
    let clients = try (0..<4).map { _ in try Client(port: server.port) }
    try server.events.wait(for: "accepted", times: 4)
    let visited = try server.loops[0].sync {
      var count = 0
      server.loops[0].forEachStream { _ in count += 1 }
      return count
    }
    #expect(visited == 4)
    server.stop()
    #expect(server.events.count("closed") == 4)
    for client in clients { try #expect(client.receive(1) == []) }
  }
}
