import PluginKit
import PluginTesting
import Testing

@Suite struct StoreTests {
  @Test func `a row is written with its event and read back as a value`() async throws {
    let host = try await Probe.host()
    let body = #"{"name":"a'b","size":2,"ratio":0.5,"tags":["x","y"],"flag":true}"#
    let reply = try await host.request("POST", "/", handler: "insert", body: body)
    #expect(reply.text == "[1,1,1]")
    let notes: [Note] = try await host.request("GET", "/", handler: "notes").json()
    let expected = Note(
      id: 1, name: "a'b", size: .large, ratio: 0.5, tags: ["x", "y"], at: host.now, flag: true)
    #expect(notes == [expected])
    let events = try await host.events
    #expect(events.map(\.type) == ["probe.note.created"])
    #expect(events.map(\.offset) == [1])
    #expect(events.first?.data.text == #"{"name":"a'b"}"#)
    try await host.close()
  }

  @Test func `a nil property is NULL and comes back as nil`() async throws {
    let host = try await Probe.host()
    _ = try await host.request("POST", "/", handler: "insert", body: #"{"name":"bare"}"#)
    let reply = try await host.request("GET", "/", handler: "notes")
    #expect(reply.text == #"[{"id":1,"name":"bare","at":"2026-01-01T00:00:00.000Z"}]"#)
    try await host.close()
  }

  @Test func `a constraint that does not hold is a conflict`() async throws {
    let host = try await Probe.host()
    _ = try await host.request("POST", "/", handler: "insert", body: #"{"name":"a"}"#)
    let again = try await host.request("POST", "/", handler: "insert", body: #"{"name":"a"}"#)
    #expect(again.status == 409)
    #expect(again.problem?.code == "conflict")
    try await host.close()
  }

  @Test func `a guard that does not hold leaves nothing behind and names its statement`()
    async throws
  {
    let host = try await Probe.host()
    let reply = try await host.request("POST", "/", handler: "guard")
    #expect(reply.status == 409)
    let caught = try await host.request("POST", "/", handler: "guard_caught")
    #expect(caught.text.hasPrefix("1 statement 1: "), "\(caught.text)")
    let notes = try await host.request("GET", "/", handler: "notes")
    #expect(notes.text == "[]")
    try await host.close()
  }

  @Test
  func `a batch may answer its request without a task, and its errors are answered as if thrown`()
    async throws
  {
    let host = try await Probe.host()
    func insert(_ name: String) async throws -> TestReply {
      try await host.request("POST", "/", handler: "insert_at_once", body: name)
    }
    let first = try await insert("a")
    #expect(first.status == 201 && first.text == "1")
    #expect(try await insert("a").problem?.code == "conflict")
    let refused = try await insert("refused")
    #expect(refused.status == 400 && refused.problem?.detail == "Not this one.")
    // What was committed stays, whatever is answered.
    let notes: [Note] = try await host.request("GET", "/", handler: "notes").json()
    #expect(notes.map(\.name) == ["a", "refused"])
    try await host.close()
  }

  @Test func `wrong SQL is the plugin's fault and its words stay in the log`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "bad_sql")
    #expect(reply.status == 500)
    #expect(!reply.text.contains("SELEKT"))
    #expect(host.log.contains { $0.fields?.text.contains("SELEKT") == true })
    try await host.close()
  }

  @Test func `another plugin's table is refused`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "foreign_table")
    #expect(reply.text == "true")
    try await host.close()
  }

  @Test func `a column of another type is an error that names column and row`() async throws {
    let host = try await Probe.host()
    let reply = try await host.request("GET", "/", handler: "mismatch")
    #expect(reply.text == "row 0, column \"size\": TEXT is not a Int")
    try await host.close()
  }

  @Test func `a channel's history begins above the offset asked for`() async throws {
    let host = try await Probe.host()
    for name in ["a", "b", "c"] {
      _ = try await host.request("POST", "/", handler: "insert", body: #"{"name":"\#(name)"}"#)
    }
    let reply = try await host.request("GET", "/", handler: "history")
    #expect(reply.text == "[2, 3] 3 false")
    try await host.close()
  }

  @Test func `an event that the manifest does not declare is refused`() async throws {
    let host = try await Probe.host { $0.emits = ["probe.other"] }
    let reply = try await host.request("POST", "/", handler: "insert", body: #"{"name":"a"}"#)
    #expect(reply.status == 500)
    let notes = try await host.request("GET", "/", handler: "notes")
    #expect(notes.text == "[]")
    try await host.close()
  }
}

@Suite struct SQLTests {
  @Test func `interpolated values become binds and never text`() {
    let name = "x'; DROP TABLE y; --"
    let statement: SQL =
      "SELECT \(raw: "id") FROM t WHERE name = \(name) AND size IN (\(each: [1, 2]))"
    #expect(statement.text == "SELECT id FROM t WHERE name = :p0 AND size IN (:p1, :p2)")
    #expect(statement.binds.map(\.value) == [.text(name), .integer(1), .integer(2)])
    #expect(statement.binds.map(\.name) == ["p0", "p1", "p2"])
  }

  @Test func `every kind of value has its SQL`() {
    let none: String? = nil
    let statement: SQL =
      "\(none) \(true) \(1.5) \([UInt8(1)]) \(Timestamp(unixMilliseconds: 7)) \(RawJSON("[]"))"
    #expect(
      statement.binds.map(\.value) == [
        .null, .integer(1), .real(1.5), .blob([1]), .integer(7), .text("[]"),
      ])
  }

  @Test func `named parameters are kept by name`() {
    let statement = SQL(text: "SELECT :a", ["a": 1]).expect(atLeast: 2)
    #expect(statement.binds == [SQL.Bind(name: "a", value: .integer(1))])
    #expect(statement.rowGuard == .atLeast(2))
  }

  @Test func `a batch is built with conditions and loops`() throws {
    let isWanted = true
    let batch = try Batch {
      if isWanted { SQL("SELECT 1") }
      for n in 0..<2 { SQL("SELECT \(n)") }
      if !isWanted { SQL("never") } else { try Emit("a.b", data: ["k": 1]) }
    }
    #expect(batch.statements.map(\.text) == ["SELECT 1", "SELECT :p0", "SELECT :p0"])
    #expect(batch.events.map(\.data.text) == [#"{"k":1}"#])
  }
}
