import Glibc
import Testing

@testable import EventLoop

@Suite struct `Listen addresses` {
  @Test(arguments: [
    ("127.0.0.1:8080", "127.0.0.1:8080"), ("[::1]:0", "[::1]:0"), (":80", "0.0.0.0:80"),
    ("*:65535", "0.0.0.0:65535"), ("localhost:1", "localhost:1"),
  ])
  func `are read`(text: String, rendered: String) throws {
    try #expect(ListenAddress(parsing: text).description == rendered)
  }

  @Test(arguments: [
    ("8080", "HOST:PORT"), ("127.0.0.1:", "not a number"), ("127.0.0.1:65536", "65535"),
    ("127.0.0.1:-1", "not a number"), ("127.0.0.1:8o", "not a number"), ("::1:80", "brackets"),
    ("", "HOST:PORT"), ("no such host.invalid:80", "no such host.invalid:80"),
    ("300.0.0.1:80", "300.0.0.1:80"),
  ])
  func `that are wrong are refused with the text and the reason`(text: String, part: String) {
    let error = #expect(throws: ListenError.self) { try ListenAddress(parsing: text) }
    #expect(error?.description.contains(part) == true)
    #expect(error?.description.contains(text) == true)
  }
}

@Suite struct `Listeners` {
  @Test func `of three loops share one port, and each stream lives on one loop`() throws {
    let threads = EventLog()
    try withServer(loops: 3) { server in
      server.onRead = { stream, bytes in
        threads.add("\(stream.loop.index)")
        #expect(stream.loop.isCurrent)
        #expect(stream.write(bytes) == .written)
      }
    } _: { server in
      let clients = try (0..<96).map { _ in try Client(port: server.port) }
      for round in 0..<3 {
        for (number, client) in clients.enumerated() { try client.send("\(round):\(number);") }
        for (number, client) in clients.enumerated() {
          let text = "\(round):\(number);"
          try #expect(client.receiveText(text.utf8.count) == text)
        }
      }
      // 96 connections that all miss one of three loops would be a one in 10^17 chance.
      #expect(Set(threads.all) == ["0", "1", "2"])
      let accepted = server.listeners.withLock { $0.map(\.accepted) }
      #expect(accepted.reduce(0, +) == 96)
      for client in clients { client.close() }
      try server.events.wait(for: "closed", times: 96)
      for loop in server.loops { try #expect(loop.sync { loop.openStreams } == 0) }
    }
  }

  @Test func `give streams without delay, and with the peer's address`() throws {
    let peers = EventLog()
    try withServer { server in
      server.onAccept = { stream in
        var value: Int32 = 0
        var size = socklen_t(4)
        getsockopt(stream.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &size)
        peers.add("\(stream.peer.host) \(value != 0)")
        stream.close()
      }
    } _: { server in
      let client = try Client(port: server.port)
      try #expect(client.receive(1) == [])
      #expect(peers.all == ["127.0.0.1 true"])
    }
  }

  @Test func `take IPv4 and IPv6 on one IPv6 socket`() throws {
    let peers = EventLog()
    try withServer(host: "::") { server in
      server.onAccept = { stream in
        peers.add(stream.peer.description.split(separator: ":").first.map(String.init) ?? "")
        stream.close()
      }
    } _: { server in
      try #expect(Client(port: server.port).receive(1) == [])
      #expect(peers.all == ["127.0.0.1"])
    }
  }

  @Test func `find a port in use before they share it, and say so`() throws {
    try withServer { _ in
    } _: { server in
      let address = try ListenAddress(host: "127.0.0.1", port: server.port)
      let error = #expect(throws: ListenError.self) { try Listener.reserve(address) }
      #expect(error == .addressInUse(address: "127.0.0.1:\(server.port)"))
      #expect(error?.description.contains("127.0.0.1:\(server.port)") == true)
      #expect(error?.description.contains("choose another port") == true)
    }
  }

  @Test func `hold a reserved port against others`() throws {
    let reservation = try Listener.reserve(ListenAddress(parsing: "127.0.0.1:0"))
    #expect(reservation.address.port != 0)
    #expect(throws: ListenError.addressInUse(address: reservation.address.description)) {
      try Listener.reserve(reservation.address)
    }
    reservation.release()
    _ = try Listener.reserve(reservation.address)
  }

  @Test func `take a port again on which old connections are in TIME_WAIT`() throws {
    var port: UInt16 = 0
    try withServer { server in
      // Who closes first keeps the connection in TIME_WAIT.
      server.onAccept = { $0.close() }
    } _: { server in
      port = server.port
      let client = try Client(port: port)
      try #expect(client.receive(1) == [])
    }
    let again = try Listener.reserve(ListenAddress(host: "127.0.0.1", port: port))
    #expect(again.address.port == port)
  }

  @Test func `refuse an address that the machine does not have`() throws {
    // RFC 5737: 192.0.2.0/24 is for documentation, so nobody has it.
    #expect(throws: ListenError.addressNotAvailable(address: "192.0.2.1:8080")) {
      try Listener.reserve(ListenAddress(parsing: "192.0.2.1:8080"))
    }
  }

  @Test func `that are closed refuse connections, and their streams live on`() throws {
    try withServer { server in
      server.onRead = { stream, bytes in _ = stream.write(bytes) }
    } _: { server in
      let client = try Client(port: server.port)
      try server.events.wait(for: "accepted")
      try server.loops[0].sync {
        let listener = server.listeners.withLock { $0[0] }
        listener.close()
        listener.close()
      }
      #expect(throws: SystemError("connect", code: ECONNREFUSED)) { try Client(port: server.port) }
      try client.send("still here")
      try #expect(client.receiveText(10) == "still here")
    }
  }

  @Test func `pause and resume`() throws {
    try withServer { _ in
    } _: { server in
      try server.loops[0].sync { server.listeners.withLock { $0[0].pause() } }
      let client = try Client(port: server.port)
      pause(milliseconds: 30)
      #expect(server.events.all == [])
      try server.loops[0].sync { server.listeners.withLock { $0[0].resume() } }
      try server.events.wait(for: "accepted")
      client.close()
    }
  }

  @Test func `wait and count when descriptors run out, and go on afterwards`() throws {
    let server = try TestServer()
    defer { server.stop() }
    server.onRead = { stream, bytes in _ = stream.write(bytes) }
    // The loop's thread gets a descriptor table of its own, so that only it runs out.
    try server.loops[0].sync { try #require(unshare(cloneFiles) == 0) }
    try server.listen()
    let spare = try server.loops[0].sync {
      var spare: [Int32] = []
      while case let descriptor = dup(0), descriptor >= 0 { spare.append(descriptor) }
      return spare
    }
    let client = try Client(port: server.port)
    try client.send("at last")
    let listener = server.listeners.withLock { $0[0] }
    try eventually { listener.pauses >= 2 }
    #expect(listener.accepted == 0)
    try server.loops[0].sync { for descriptor in spare { close(descriptor) } }
    try #expect(client.receiveText(7) == "at last")
    #expect(listener.accepted == 1)
  }
}

// glibc declares neither of them to Swift.
private let cloneFiles: Int32 = 0x400

private func unshare(_ flags: Int32) -> Int32 {
  guard let symbol = dlsym(nil, "unshare") else { return -1 }
  return unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Int32).self)(flags)
}
