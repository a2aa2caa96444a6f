import PluginKit
import PluginTesting
import Synchronization

/// A plugin that does one thing of everything, for the tests of PluginKit and PluginTesting.
struct Probe: Plugin {
  struct Settings: Decodable {
    var greeting: String?
    var limit: Int?
  }

  let greeting: String

  init(_ context: InstanceContext) throws {
    let settings: Settings = try context.config()
    if let limit = settings.limit, limit < 1 {
      throw ConfigurationError(pointer: "/limit", message: "\(limit) is below 1")
    }
    greeting = settings.greeting ?? "hello"
  }

  func makeShard(_ context: ShardContext) throws -> ProbeShard {
    ProbeShard(greeting, context)
  }

  static func host(
    config: RawJSON = "{}", _ change: (inout TestManifest) -> Void = { _ in },
    prepare: (TestHost) async throws -> Void = { _ in }
  ) async throws -> TestHost {
    var manifest = TestManifest(
      id: "probe",
      migrations: [
        TestManifest.Migration(
          name: "create",
          sql: """
            CREATE TABLE probe_notes (
              id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER, ratio REAL, tags TEXT,
              data BLOB, at INTEGER, flag INTEGER);
            """)
      ])
    change(&manifest)
    return try await TestHost(Probe.self, manifest, config: config, prepare: prepare)
  }
}

struct Note: Codable, Equatable {
  enum Size: Int, Codable {
    case small = 1
    case large = 2
  }
  var id: Int?
  var name: String
  var size: Size?
  var ratio: Double?
  var tags: [String]?
  var at: Timestamp?
  var flag: Bool?
}

/// A door that the test opens, from a thread of its own.
actor Gate {
  static let shared = Gate()
  private var waiters: [CheckedContinuation<Void, Never>] = []
  private(set) var notes: [String] = []

  var waiting: Int { waiters.count }

  func wait() async {
    await withCheckedContinuation { waiters.append($0) }
  }

  func open() {
    for waiter in waiters { waiter.resume() }
    waiters = []
  }

  func note(_ text: String) {
    notes.append(text)
  }
}

/// Where a handler ran, at its beginning and after each `await`.
struct Trace: Codable, Equatable {
  var steps: [Bool]
}

/// Somebody who resumes from another thread.
actor Elsewhere {
  static let shared = Elsewhere()
  private(set) var count = 0

  func next() -> Int {
    count += 1
    return count
  }
}

final class ProbeShard: PluginShard {
  let greeting: String
  let context: ShardContext
  var count = 0
  var group: Group?
  var subscriptions = SlotTable<String>()
  var heard: [String] = []
  var wasDrained = false
  var pushed: PushStream?

  init(_ greeting: String, _ context: ShardContext) {
    self.greeting = greeting
    self.context = context
  }

  func drain() {
    context.log.info("draining")
  }

  deinit {
    context.log.info("never seen: the host is gone")
  }

  static func register(_ on: inout Registry<ProbeShard>) {
    registerRoutes(&on)
    registerStore(&on)
    registerPhases(&on)
    registerSockets(&on)
    registerOthers(&on)
    registerClient(&on)
    registerAlarm(&on)
  }
}

extension ProbeShard {
  struct Failure: Error {}

  struct Echo: Codable {
    var method: String
    var path: String
    var parameter: String?
    var query: String?
    var header: String?
    var authorization: String?
    var body: String
    var id: String
    var peer: String
    var client: String?
    var principal: String
    var scopes: [String]
  }

  private func echo(_ request: Request) throws -> Response {
    let principal = request.principal
    return try .json(
      Echo(
        method: request.method, path: request.path, parameter: try? request.parameter(0),
        query: request.query("q"), header: request.header("X-Test"),
        authorization: request.header("authorization"), body: request.body.text,
        id: request.id, peer: request.peer, client: request.clientCertificate,
        principal: "\(principal.kind.rawValue):\(principal.id)", scopes: principal.scopes),
      status: 201
    ).header("x-greeting", greeting)
  }

  private static func registerRoutes(_ on: inout Registry<ProbeShard>) {
    on.route("hello") { _, _ in .json(#"{"message":"hello, world"}"#) }
    on.route("echo", ProbeShard.echo)
    on.route("text") { _, _ in .text("plain") }
    on.route("empty") { _, _ in .empty() }
    on.route("problem") { _, _ in throw Problem.invalid(pointer: "/a", "is wrong") }
    on.route("problem_async") { _, _ async throws in
      await Task.yield()
      throw Problem(status: 418, code: "teapot", detail: "short and stout")
    }
    on.route("failure") { _, _ in throw Failure() }
    on.route("failure_async") { _, _ async throws in
      await Task.yield()
      throw Failure()
    }
    on.route("bad_header") { _, _ in .empty().header("date", "now") }
    on.route("bad_status") { _, _ in .empty(42) }
    on.route("host_error") { _, _ in throw HostError(.limited, "slow down") }
    on.route("decode") { _, request in
      let note: Note = try request.decode()
      return .text(note.name)
    }
    on.route("trace", ProbeShard.trace)
    on.route("count") { shard, _ async throws in
      // Nothing of the shard runs between two awaits, so no increment is ever lost.
      for _ in 0..<10 {
        let seen = shard.count
        shard.count = seen + 1
        await Task.yield()
      }
      return .text("\(shard.count)")
    }
    on.route("wait") { shard, request async throws in
      shard.context.log.info("waiting", ["id": request.id])
      do {
        try await shard.context.timers.sleep(milliseconds: 1_000)
      } catch {
        shard.context.log.info("cancelled", ["isCancelled": Task.isCancelled])
        throw error
      }
      _ = try request.parameter(0)
      return .empty()
    }
    on.route("gone") { shard, request async throws in
      // Not a cancellation point: the handler finds out by reading.
      _ = try await shard.context.store.read("SELECT 1")
      while request.body.isPresent { await Task.yield() }
      do {
        _ = try request.parameter(0)
      } catch is RequestGone {
        shard.context.log.info("gone", ["method": request.method, "query": request.query("q")])
      }
      return .empty()
    }
    on.route("gate") { shard, _ async throws in
      await Gate.shared.wait()
      do {
        _ = try await shard.context.store.read("SELECT 1")
        await Gate.shared.note("read")
      } catch {
        await Gate.shared.note("\(error)")
      }
      return .empty()
    }
    on.route("forever") { _, _ async throws in
      while !Task.isCancelled { await Task.yield() }
      return .empty()
    }
  }

  private func trace(_ request: Request) async throws -> Response {
    let executor = context
    var steps = [executor.isOnLoop]
    await Task.yield()
    steps.append(executor.isOnLoop)
    _ = await Elsewhere.shared.next()
    steps.append(executor.isOnLoop)
    try await helper(&steps)
    try await Task.sleep(nanoseconds: 1_000_000)
    steps.append(executor.isOnLoop)
    let isWorkerElsewhere = try await context.worker.run {
      Thread.number
    }
    steps.append(executor.isOnLoop && isWorkerElsewhere != Thread.number)
    return try .json(Trace(steps: steps))
  }

  private func helper(_ steps: inout [Bool]) async throws {
    _ = try await context.store.read("SELECT 1")
    steps.append(context.isOnLoop)
  }
}
