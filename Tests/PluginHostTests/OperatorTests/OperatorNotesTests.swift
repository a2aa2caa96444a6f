import EventLoop
import Glibc
import Store
import Testing

@testable import PluginHost

@Suite struct `What an operator does` {
  private let bench = TenantBench()

  /// What a desk answers that deletes a tenant. It blocks, so it has a thread of its own.
  private func delete(
    _ tenant: String, from registry: TenantRegistry, listeners: [String] = ["keeper"]
  ) async throws -> ConfigValue {
    let directory = bench.folder + "/data"
    TenantTransfer.prepare(directory)
    let desk = OperatorDesk(
      TenantTransfer(
        store: registry.store, registry: registry, directory: directory, installed: [],
        plans: Plans()), listeners: listeners)
    let thread = try WorkerPool(name: "operator", threads: 1, queueLimit: 1)
    let answer = await withCheckedContinuation { continuation in
      let isTaken = thread.submit {
        continuation.resume(
          returning: desk.answer(["do": "delete", "tenant": .string(tenant)], for: .current))
      }
      #expect(isTaken)
    }
    thread.stop()
    return answer
  }

  /// The notes that a listener of the platform hears, by their outcomes.
  private func notes(_ store: Store) async throws -> [(outcome: String, note: ConfigValue)] {
    let cursor = try #require(try await store.cursor(tenant: "platform", listener: "keeper"))
    let events = try await store.eventsAfter(tenant: "platform", sequence: cursor, limit: 100)
    return try events.map { event in
      #expect(event.type == "sluice.audit.noted" && event.channel == nil)
      let note = try ConfigReader.read(text: event.data, name: "note").root
      return (note["outcome"]?.text ?? "", note)
    }
  }

  @Test func `is noted before it is done, and when it is, for who listens on the platform`()
    async throws
  {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme", plugins: ["chat": PluginSetting(enabled: true)]).get()
      _ = try await registry.putCredential("acme", sampleKey("key_1", 1)).get()
      let answer = try await delete("acme", from: registry)
      #expect(answer["error"] == nil && answer["unnoted"] == nil)
      let notes = try await notes(registry.store)
      try #require(notes.map(\.outcome) == ["begun", "done"])
      for (_, note) in notes {
        #expect(note["app"] == "acme" && note["action"] == "app.deleted")
        #expect(note["actor_kind"] == "operator" && note["actor"]?.text == LocalUser.current.name)
        #expect(note["address"] == "local" && note["request_id"] == answer["request_id"])
      }
      #expect(notes[0].note["before"] == nil)
      #expect(
        notes[1].note["before"] == [
          "plan": "free", "plugins": ["chat"], "hosts": [], "allowed_origins": [],
          "keys": ["key_1"],
        ])
      #expect(notes[1].note["after"] == nil)
    }
  }

  @Test func `is not noted when it is refused, or nobody listens`() async throws {
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
      let unknown = try await delete("none", from: registry)
      #expect(unknown["error"]?["code"] == "not_found")
      let answer = try await delete("acme", from: registry, listeners: [])
      #expect(answer["error"] == nil && answer["unnoted"] == nil)
      #expect(try await registry.store.cursor(tenant: "platform", listener: "keeper") == nil)
    }
  }

  @Test func `is done and said to be unnoted where the platform's data cannot be written`()
    async throws
  {
    let folder = bench.folder + "/data/tenants"
    try await bench.run { (registry) async throws in
      _ = try await registry.create("acme").get()
    }
    mkdir(folder, 0o700)
    mkdir(folder + "/platform.sqlite", 0o700)
    try await bench.run { (registry) async throws in
      let answer = try await delete("acme", from: registry)
      #expect(answer["error"] == nil)
      #expect(answer["unnoted"]?.text?.contains("audit log") == true)
      #expect(registry.record("acme") == nil)
    }
  }

  @Test func `is somebody's, whom the kernel names`() throws {
    var sockets: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &sockets) == 0)
    defer { for socket in sockets { close(socket) } }
    #expect(LocalUser.peer(of: sockets[0]) == .current)
    #expect(LocalUser(id: 0).name == "root")
    #expect(LocalUser(id: 3_999_999_999).name == "uid 3999999999")
  }
}
