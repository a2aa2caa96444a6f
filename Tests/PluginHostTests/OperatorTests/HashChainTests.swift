import Glibc
import Store
import Testing

@testable import PluginHost

/// A data folder with one chained table of the tenant `app`.
private struct ChainBench {
  let folder = ScratchFolder()

  init(_ count: Int, then change: String? = nil) throws {
    mkdir(folder.path + "/tenants", 0o700)
    let path = StoreFile.path(in: folder.path, of: "app")
    let file = try DatabaseFile(path, .creating)
    try file.execute(
      """
      CREATE TABLE own_log (seq INTEGER PRIMARY KEY, text TEXT, previous_hash TEXT, hash TEXT);
      CREATE TABLE own_other (seq INTEGER PRIMARY KEY, hash TEXT);
      """)
    var previous = String(repeating: "0", count: 64)
    for seq in 1...max(count, 1) where count > 0 {
      let text = seq % 2 == 0 ? nil : "näme: \(seq)\n"
      let hash = Self.hash(seq, text, previous)
      try file.rows(
        "INSERT INTO own_log VALUES (?1, ?2, ?3, ?4)", .integer(Int64(seq)),
        text.map { .text($0) } ?? .null, .text(previous), .text(hash))
      previous = hash
    }
    if let change { try file.execute(change) }
  }

  private static func hash(_ seq: Int, _ text: String?, _ previous: String) -> String {
    var canonical = "seq:i:\(String(seq).utf8.count):\(seq)\n"
    if let text { canonical += "text:t:\(text.utf8.count):\(text)\n" }
    canonical += "previous_hash:t:64:\(previous)\n"
    return HexDigest.sha256(Array(canonical.utf8))
  }

  func verify(_ expected: HashChain.Link? = nil) throws -> HashChain? {
    try HashChain.verify(tenant: "app", dataDirectory: folder.path, expecting: expected)?.first
  }
}

@Suite struct `A chain of hashes` {
  @Test func `is whole as it was written, over more than one page`() throws {
    let chain = try #require(try ChainBench(2_500).verify())
    #expect(chain.table == "own_log" && chain.rows == 2_500 && chain.fault == nil)
    #expect(chain.head?.seq == 2_500)
    #expect(try ChainBench(0).verify()?.rows == 0)
    #expect(
      try HashChain.verify(tenant: "none", dataDirectory: ChainBench(1).folder.path) == nil)
  }

  @Test func `is listed from its end, as far as it is asked for`() throws {
    let bench = try ChainBench(
      2_500,
      then: """
        ALTER TABLE own_log ADD COLUMN made_at BIGINT;
        ALTER TABLE own_log ADD COLUMN after_value TEXT;
        UPDATE own_log SET made_at = 1767225600000, after_value = '{"a":[1]}' WHERE seq = 2500;
        UPDATE own_log SET text = 'odd' WHERE seq IN (3, 1200, 2499);
        """)
    func rows(_ wanted: [(column: String, value: String)], _ limit: Int) throws -> [ConfigValue] {
      let tables = try HashChain.rows(
        of: "app", dataDirectory: bench.folder.path, where: wanted, limit: limit)
      #expect(tables?.map(\.table) == ["own_log"])
      return try (tables?.first?.rows ?? []).map {
        try ConfigReader.read(text: Array($0.utf8), name: "row").root
      }
    }
    #expect(try rows([], 2).map { $0["seq"] } == [2_499, 2_500])
    #expect(try rows([], 5_000).count == 2_500)
    let last = try #require(try rows([], 1).first)
    #expect(last["made_at"] == "2026-01-01T00:00:00.000Z" && last["after"] == ["a": [1]])
    #expect(last["text"] == nil && last["hash"]?.text?.count == 64)
    #expect(try rows([("text", "odd")], 2).map { $0["seq"] } == [1_200, 2_499])
    #expect(try rows([("text", "odd"), ("seq", "3")], 2).map { $0["seq"] } == [3])
    #expect(try rows([("none", "odd")], 2) == [])
    #expect(
      try HashChain.rows(of: "none", dataDirectory: bench.folder.path, where: [], limit: 1) == nil)
  }

  @Test(arguments: [
    ("UPDATE own_log SET text = 'x' WHERE seq = 1003", "row 1003 is not what was written", 1_002),
    ("UPDATE own_log SET text = '' WHERE seq = 4", "row 4 is not what was written", 3),
    ("UPDATE own_log SET text = x'00' WHERE seq = 4", "row 4: its column text", 3),
    ("UPDATE own_log SET hash = NULL WHERE seq = 4", "row 4 has no number or no hash", 3),
    ("DELETE FROM own_log WHERE seq = 4", "row 4 is missing: row 5 follows row 3", 3),
    (
      "UPDATE own_log SET previous_hash = hash WHERE seq = 4", "row 4 was not written after row 3",
      3
    ),
  ])
  func `names the first link that is broken`(change: String, words: String, whole: Int) throws {
    let chain = try #require(try ChainBench(1_010, then: change).verify())
    #expect(chain.fault?.contains(words) == true, "\(chain.fault ?? "")")
    #expect(chain.rows == whole)
  }

  @Test func `ends no earlier than its writer has noted beside it`() throws {
    func bench(_ rows: Int, _ change: String = "SELECT 1", noting note: String?) throws
      -> HashChain
    {
      let bench = try ChainBench(rows, then: change)
      if let note { bench.folder.write(note, to: "files/app/own/own_log.head") }
      return try #require(try bench.verify())
    }
    let whole = try bench(5, noting: nil)
    let head = try #require(whole.head)
    #expect(whole.anchor == nil && whole.fault == nil)
    let note = "5=\(head.hash)\n"
    let noted = try bench(5, noting: note)
    #expect(noted.anchor == head && noted.fault == nil)
    let cut = try bench(5, "DELETE FROM own_log WHERE seq > 3", noting: note)
    #expect(cut.rows == 3 && cut.fault == "row 5 is missing: the last is row 3")
    #expect(
      try bench(5, "DELETE FROM own_log", noting: note).fault
        == "row 5 is missing: the last is row 0")
    // A crash between the row and the note of it.
    #expect(try bench(6, noting: note).fault == nil)
    let forged = try bench(5, noting: "5=\(String(repeating: "0", count: 64))\n")
    #expect(forged.fault?.contains("row 5 is not the one that is expected") == true)
    #expect(try bench(5, noting: "nonsense").anchor == nil)
  }

  @Test func `is held against a link that is known`() throws {
    let bench = try ChainBench(5)
    let head = try #require(try bench.verify()?.head)
    #expect(try bench.verify(head)?.fault == nil)
    let cut = try ChainBench(5, then: "DELETE FROM own_log WHERE seq = 5")
    #expect(try cut.verify()?.fault == nil)
    #expect(try cut.verify(head)?.fault == "row 5 is missing: the last is row 4")
    let other = HashChain.Link(seq: 3, hash: head.hash)
    #expect(
      try bench.verify(other)?.fault?.contains("row 3 is not the one that is expected") == true)
  }
}

@Suite struct `What a chained log says was begun` {
  private static let names = ["seq", "app_id", "actor", "request_id", "action", "outcome"]

  /// A data folder whose tenant `app` has a log of these rows: an app, a request and an outcome each.
  private static func log(_ rows: [(String, String, String)]) throws -> ScratchFolder {
    let folder = ScratchFolder()
    mkdir(folder.path + "/tenants", 0o700)
    let file = try DatabaseFile(StoreFile.path(in: folder.path, of: "app"), .creating)
    try file.execute(
      """
      CREATE TABLE own_log (seq INTEGER PRIMARY KEY, app_id TEXT, actor TEXT, request_id TEXT,
        action TEXT, outcome TEXT, previous_hash TEXT, hash TEXT);
      """)
    var previous = String(repeating: "0", count: 64)
    for (place, row) in rows.enumerated() {
      let texts = [row.0, "root", row.1, "app.deleted", row.2]
      var canonical = "seq:i:1:\(place + 1)\n"
      for (name, text) in zip(names.dropFirst(), texts) {
        canonical += "\(name):t:\(text.utf8.count):\(text)\n"
      }
      let hash = HexDigest.sha256(Array((canonical + "previous_hash:t:64:\(previous)\n").utf8))
      try file.rows(
        "INSERT INTO own_log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", .integer(Int64(place + 1)),
        .text(texts[0]), .text(texts[1]), .text(texts[2]), .text(texts[3]), .text(texts[4]),
        .text(previous), .text(hash))
      previous = hash
    }
    return folder
  }

  @Test func `is told where no row says how it ended`() throws {
    let folder = try Self.log([
      ("app_a", "r1", "begun"), ("app_a", "r1", "done"), ("app_a", "r2", "begun"),
      ("app_b", "r3", "begun"), ("app_b", "r3", "failed"), ("app_c", "r2", "done"),
      ("app_d", "r4", "begun"),
    ])
    let chains = try HashChain.verify(tenant: "app", dataDirectory: folder.path)
    let chain = try #require(chains?.first)
    #expect(chain.fault == nil && chain.rows == 7)
    #expect(chain.unended.map(\.seq) == [3, 7])
    #expect(chain.unended.first?.what == "app.deleted of app_a, by root")
  }
}
