import Glibc
import Synchronization
import Testing

@testable import Store

/// A directory under /tmp that is gone at the end of the test.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/store-tests-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp: \(errno)") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    for folder in [path + "/tenants", path] {
      for name in Self.names(in: folder) { unlink(folder + "/" + name) }
      rmdir(folder)
    }
  }

  static func names(in folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }

  func write(_ bytes: [UInt8], to name: String) {
    let descriptor = open(path + "/" + name, O_CREAT | O_WRONLY, 0o600)
    _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    close(descriptor)
  }
}

/// A clock that stands still until it is moved.
final class VirtualClock: Sendable {
  private let milliseconds = Atomic<Int64>(1_700_000_000_000)

  var now: Int64 { milliseconds.load(ordering: .relaxed) }
  func advance(seconds: Int64) { milliseconds.wrappingAdd(seconds * 1000, ordering: .relaxed) }
}

/// Takes notes from any thread.
final class Recorder<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])

  var all: [Element] { elements.withLock { $0 } }
  func add(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// A gate that a thread waits at until it is opened.
final class Gate: Sendable {
  private let monitor = Monitor()
  private let isOpen = Atomic<Bool>(false)

  func wait() {
    monitor.withLock { while !isOpen.load(ordering: .acquiring) { monitor.wait() } }
  }

  /// Waits without holding up a thread that other tests need.
  func passed() async {
    await withCheckedContinuation { continuation in
      do {
        try WorkerThread.start(name: "gate") {
          self.wait()
          continuation.resume()
        }.detach()
      } catch {
        Issue.record(error)
        continuation.resume()
      }
    }
  }

  func open() {
    monitor.withLock {
      isOpen.store(true, ordering: .releasing)
      monitor.broadcast()
    }
  }
}

/// Runs `body` with a store in a fresh directory and closes it afterwards.
func withStore(
  _ options: StoreOptions = .patient, in directory: TemporaryDirectory = TemporaryDirectory(),
  _ body: (Store) async throws -> Void
) async throws {
  let store = try Store(directory: directory.path, options: options)
  do {
    try await body(store)
  } catch {
    store.close()
    throw error
  }
  store.close()
}

/// The error that `body` ends with.
func failure(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws(StoreError) -> some Any
) async -> StoreError? {
  do throws(StoreError) {
    _ = try await body()
    Issue.record("no error", sourceLocation: sourceLocation)
    return nil
  } catch {
    return error
  }
}

extension Store {
  /// Gives a tenant the table `chat_notes(id, body)`.
  func createNotes(in tenant: String = "app") async throws {
    _ = try await migrate(
      tenant: tenant, owner: "chat",
      migrations: [
        Migration(
          version: 1, name: "notes",
          sql: "CREATE TABLE chat_notes (id INTEGER PRIMARY KEY, body TEXT UNIQUE);")
      ])
  }

  func note(_ body: String, in tenant: String = "app") async throws(StoreError) -> BatchReply {
    try await submit(tenant: tenant, batch: .note(body))
  }

  /// The rows of one statement of chat's.
  func rows(
    _ sql: String, _ binds: [Bind] = [], in tenant: String = "app"
  ) async throws -> [[SQLValue]] {
    try await read(tenant: tenant, owner: "chat", statements: [Statement(sql, binds: binds)])
      .decoded()[0].rows
  }

  func notes(in tenant: String = "app") async throws -> [String] {
    try await rows("SELECT body FROM chat_notes ORDER BY id", in: tenant).map {
      if case .text(let body) = $0[0] { body } else { "?" }
    }
  }

  /// Commits events with the numbers as their ids, some at a time.
  func emit(
    _ numbers: ClosedRange<Int>, to channel: String?, size: Int = 100, ttl: Int = 0
  ) async throws {
    for start in stride(from: numbers.lowerBound, through: numbers.upperBound, by: 40) {
      var batch = Batch(owner: "chat", statements: [])
      for number in start...min(start + 39, numbers.upperBound) {
        batch.events += Batch.event(channel, id: "\(number)", size: size, ttl: ttl).events
      }
      _ = try await submit(tenant: "app", batch: batch)
    }
  }

  /// Keeps the tenant's writer busy until the gate is opened, so that what is submitted meanwhile
  /// becomes one group.
  func hold(_ tenant: String = "app") async throws -> Gate {
    let gate = Gate()
    await withCheckedContinuation { continuation in
      do {
        try open(tenant: tenant) { _ in
          continuation.resume()
          gate.wait()
        }
      } catch {
        Issue.record(error)
        continuation.resume()
      }
    }
    return gate
  }

  /// Submits the batches while the writer is held, then lets it go. The results in the batches' order.
  func submitTogether(
    _ batches: [Batch], in tenant: String = "app"
  ) async throws -> [Result<BatchReply, StoreError>] {
    let gate = try await hold(tenant)
    let results = Recorder<(Int, Result<BatchReply, StoreError>)>()
    await withCheckedContinuation { continuation in
      for (index, batch) in batches.enumerated() {
        do {
          try submit(tenant: tenant, batch: batch) {
            results.add((index, $0))
            if results.all.count == batches.count { continuation.resume() }
          }
        } catch {
          Issue.record(error)
        }
      }
      gate.open()
    }
    let all = results.all
    #expect(all.map(\.0) == Array(batches.indices), "completions come in the order of requests")
    return all.map(\.1)
  }
}

extension Batch {
  static func note(_ body: String, events: [OutboxEvent] = []) -> Batch {
    Batch(
      owner: "chat",
      statements: [
        Statement(
          "INSERT INTO chat_notes (body) VALUES (:body)", binds: [Bind("body", .text(body))])
      ], events: events)
  }

  static func chat(_ sql: String...) -> Batch {
    Batch(owner: "chat", statements: sql.map { Statement($0) })
  }

  static func event(
    _ channel: String?, id: String, size: Int = 100, ttl: Int = 0, data: String = "{}"
  ) -> Batch {
    Batch(
      owner: "chat", statements: [],
      events: [
        OutboxEvent(
          type: "chat.message.created", channel: channel, data: Array(data.utf8), id: id,
          historySize: size, historyTTLSeconds: ttl)
      ])
  }
}

extension Result where Failure == StoreError {
  var code: StoreError.Code? { if case .failure(let error) = self { error.code } else { nil } }
}

extension StoreOptions {
  /// With time enough for what is asked of a busy machine.
  static var patient: StoreOptions {
    var options = StoreOptions()
    options.timeoutMilliseconds = 120_000
    return options
  }
}

/// What is in a file; nil if there is none.
func bytes(of path: String) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var status = stat()
  fstat(descriptor, &status)
  var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
  let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
  return count == bytes.count ? bytes : nil
}
