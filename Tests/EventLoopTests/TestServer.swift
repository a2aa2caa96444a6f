import Synchronization
import Testing

@testable import EventLoop

/// Listeners on some loops whose streams tell their events to closures and to a log.
///
/// `@unchecked Sendable`: the closures are set before the first connection and called on loops' threads.
final class TestServer: @unchecked Sendable {
  var onAccept: (TCPStream) -> Void = { $0.startReading() }
  var onRead: (TCPStream, UnsafeRawBufferPointer) -> Void = { _, _ in }
  var onEOF: (TCPStream) -> Void = { $0.close() }
  var onError: (TCPStream, Int32) -> Void = { _, _ in }
  var onDrained: (TCPStream) -> Void = { _ in }
  var onClosed: (TCPStream) -> Void = { _ in }

  let events = EventLog()
  let loops: [EventLoop]
  private(set) var port: UInt16 = 0
  let listeners = Locked<[Listener]>([])

  private static let table = StreamCallbacks(
    onRead: { stream, bytes, count in
      of(stream).onRead(stream, UnsafeRawBufferPointer(start: bytes, count: count))
    },
    onEOF: { stream in
      of(stream).events.add("eof")
      of(stream).onEOF(stream)
    },
    onError: { stream, code in
      of(stream).events.add("error \(SystemError.text(code))")
      of(stream).onError(stream, code)
    },
    onDrained: { stream in
      of(stream).events.add("drained")
      of(stream).onDrained(stream)
    },
    onClosed: { stream in
      of(stream).onClosed(stream)
      of(stream).events.add("closed")
    }
  ).makeTable()

  private static func of(_ stream: TCPStream) -> TestServer {
    let context = stream.user(as: UInt64.self).pointee
    return Unmanaged<TestServer>.fromOpaque(UnsafeMutableRawPointer(address: context))
      .takeUnretainedValue()
  }

  init(loops count: Int = 1) throws {
    loops = try (0..<count).map { try EventLoop.spawn(index: $0, name: "test-\($0)") }
  }

  func listen(host: String = "127.0.0.1") throws {
    let reservation = try Listener.reserve(ListenAddress(host: host, port: 0))
    port = reservation.address.port
    for loop in loops {
      try loop.sync {
        let listener = try Listener(
          loop: loop, address: reservation.address, callbacks: Self.table,
          userSize: MemoryLayout<UInt64>.size,
          context: UInt64(address: Unmanaged.passUnretained(self).toOpaque())
        ) { stream, context in
          stream.user(as: UInt64.self).pointee = context
          let server = TestServer.of(stream)
          server.events.add("accepted")
          server.onAccept(stream)
        }
        self.listeners.withLock { $0.append(listener) }
      }
    }
    reservation.release()
  }

  func stop() {
    for loop in loops { loop.stop() }
    for loop in loops { loop.join() }
  }
}

/// Runs `body` against a listening server and always stops it.
func withServer(
  loops: Int = 1, host: String = "127.0.0.1", _ configure: (TestServer) -> Void = { _ in },
  _ body: (TestServer) throws -> Void
) throws {
  let server = try TestServer(loops: loops)
  defer { server.stop() }
  configure(server)
  try server.listen(host: host)
  try body(server)
}

/// Runs `body` with a loop that runs on a thread of its own, and always stops it.
func withLoop<T>(_ body: (EventLoop) throws -> T) throws -> T {
  let loop = try EventLoop.spawn(index: 7, name: "test")
  defer {
    loop.stop()
    loop.join()
  }
  return try body(loop)
}

extension EventLoop {
  /// Runs `body` on the loop's thread and waits for its result.
  func sync<T: Sendable>(_ body: @escaping @Sendable () throws -> T) throws -> T {
    let answer = Answer<Result<T, any Error>>()
    #expect(post { answer.give(Result { try body() }) })
    return try answer.wait().get()
  }
}

/// One value on its way from one thread to another.
final class Answer<T: Sendable>: Sendable {
  private let value = Locked<T?>(nil)

  func give(_ value: T) { self.value.withLock { $0 = value } }

  func wait() throws -> T {
    try eventually { value.withLock { $0 } != nil }
    return try #require(value.withLock { $0 })
  }
}

/// Names of events in the order in which they happened.
final class EventLog: Sendable {
  private let names = Locked<[String]>([])

  func add(_ name: String) { names.withLock { $0.append(name) } }

  var all: [String] { names.withLock { $0 } }

  func count(_ name: String) -> Int { all.count { $0.hasPrefix(name) } }

  func wait(for name: String, times: Int = 1) throws {
    try eventually { count(name) >= times }
  }
}

struct TimedOut: Error {}

/// Waits until `condition` holds, ten seconds at most.
func eventually(
  _ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let end = EventLoop.hrtime() + 30_000_000_000
  while !condition() {
    guard EventLoop.hrtime() < end else {
      Issue.record("it did not come true within thirty seconds", sourceLocation: sourceLocation)
      throw TimedOut()
    }
    pause(milliseconds: 1)
  }
}

/// Counts how often it was passed.
final class Gate: Sendable {
  private let passes = Atomic<Int>(0)

  func pass() { passes.add(1, ordering: .relaxed) }

  var count: Int { passes.load(ordering: .relaxed) }
}
