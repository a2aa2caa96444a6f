import PluginKit
import PluginTesting
import Testing

@Suite struct ExecutorTests {
  @Test func `an async handler is on the loop's thread after every await`() async throws {
    let host = try await Probe.host()
    let trace: Trace = try await host.request("GET", "/", handler: "trace").json()
    #expect(trace.steps == [Bool](repeating: true, count: 6))
    try await host.close()
  }

  @Test func `many tasks that resume from other threads all come back to the loop`() async throws {
    let host = try await Probe.host()
    let traces = try await withThrowingTaskGroup(of: Trace.self) { group in
      for _ in 0..<50 {
        group.addTask { try await host.request("GET", "/", handler: "trace").json() }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(traces.count == 50)
    #expect(traces.allSatisfy { $0.steps.allSatisfy { $0 } })
    try await host.close()
  }

  @Test func `handlers of one shard take turns, so plain state is safe between awaits`()
    async throws
  {
    let host = try await Probe.host()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<40 {
        group.addTask { _ = try await host.request("GET", "/", handler: "count") }
      }
      try await group.waitForAll()
    }
    let last = try await host.request("GET", "/", handler: "count")
    #expect(last.text == "410")
    try await host.close()
  }

  @Test func `a task that yields for ever does not stop the loop, and ends with its request`()
    async throws
  {
    let host = try await Probe.host()
    let pending = try await host.begin("GET", "/", handler: "forever")
    let hello = try await host.request("GET", "/", handler: "hello")
    #expect(hello.status == 200)
    try await pending.cancel()
    try await host.settle()
    try await host.close()
  }

  @Test func `closing the shard resumes what sleeps, with cancellation`() async throws {
    let host = try await Probe.host()
    let pending = try await host.begin("GET", "/", handler: "wait", parameters: ["a"])
    try await host.settle()
    try await host.close()
    #expect(host.log.contains { $0.message == "cancelled" })
    #expect(!host.log.contains { $0.message == "never seen: the host is gone" })
    _ = pending
  }

  @Test func `closing the shard cancels its own tasks while the host is still there`() async throws
  {
    let host = try await Probe.host()
    let socket = try await host.connect("peer")
    try await socket.send("sleep")
    try await host.settle()
    try await host.close()
    let line = try #require(host.log.first { $0.message == "woken" })
    #expect(line.fields?.text == #"{"isCancelled":true}"#)
  }

  @Test func `a task that is woken after the shard has closed finds the host gone`() async throws {
    let host = try await Probe.host()
    let pending = try await host.begin("GET", "/", handler: "gate")
    while await Gate.shared.waiting == 0 { await Task.yield() }
    try await host.close()
    await Gate.shared.open()
    while await Gate.shared.notes.isEmpty { await Task.yield() }
    let note = await Gate.shared.notes[0]
    #expect(note.contains("The shard is closed."), "\(note)")
    _ = pending
  }

  @Test func `a task of the shard's own that fails is logged`() async throws {
    let host = try await Probe.host()
    let socket = try await host.connect("peer", "/?name=a", as: .user("a"))
    try await socket.send("fail")
    try await host.settle()
    #expect(host.log.contains { $0.message == "a task of the plugin failed" })
    try await host.close()
  }

  @Test func `what a worker's job throws comes back to the handler`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "worker_error")
    #expect(reply.text == "failed as it should")
    try await host.close()
  }

  @Test func `draining reaches the shard`() async throws {
    let host = try await Probe.host()
    try await host.close()
    #expect(host.log.contains { $0.message == "draining" })
  }
}
