internal import CSSL
public import Store

/// Tables whose rows are bound to each other by hashes, so that whoever changes one of them has to change all that follow.
///
/// A table is chained when it has the columns `seq`, `previous_hash` and `hash`. `seq` counts from 1 without a gap; `hash` is the
/// SHA-256, in lower-case hexadecimal digits, over every other column that is not NULL, in the table's order, each as
/// `name:type:length:value` and a line feed. The type is `i` for an integer, in decimal digits, or `t` for text; the length
/// counts bytes. `previous_hash` is the hash of the row before, 64 zeros in the first.
///
/// Rows that are missing at the end break no link. Whoever writes the table therefore may keep the last row's number and hash in a
/// file `TABLE.head` of its folder (ext/files.h), as `seq=hash` and a line feed, written after the row: the table may go on behind it.
public struct HashChain: Sendable, Equatable {
  /// A row and its hash.
  public struct Link: Sendable, Equatable {
    /// The row's number, from 1.
    public var seq: Int64
    /// 64 lower-case hexadecimal digits.
    public var hash: String

    /// - Parameter hash: 64 lower-case hexadecimal digits.
    public init(seq: Int64, hash: String) {
      self.seq = seq
      self.hash = hash
    }

    /// A row as it is written, "seq=hash"; nil for what is none.
    public init?(_ text: String) {
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let seq = Int64(parts[0]), seq > 0, parts[1].utf8.count == 64 else {
        return nil
      }
      self.init(seq: seq, hash: String(parts[1]))
    }
  }

  /// The table's name.
  public var table: String
  /// Rows that were found whole, from the first on.
  public var rows: Int64 = 0
  /// The last of them.
  public var head: Link?
  /// The last row as its writer has noted it outside of the database; nil when it has not.
  public var anchor: Link?
  /// What is wrong with the first link that is broken; nil when none is.
  public var fault: String?
  /// What was begun, by what says which end is its own.
  private var begun: [Beginning: [Int64]] = [:]

  /// What rows say that was begun, and no row behind them says how it ended: it was cut off, or is under way. In tables whose rows have an
  /// `outcome`, as `docs/plugin-author-guide.md` states it of notes for an audit log. In the order of the rows.
  public var unended: [(seq: Int64, what: String)] {
    begun.flatMap { key, rows in rows.map { ($0, "\(key.action) of \(key.app), by \(key.actor)") } }
      .sorted { $0.0 < $1.0 }
  }

  init(table: String) { self.table = table }

  /// Looks at every chained table of a tenant, row by row; nil when the tenant has no file. The gateway may be running.
  /// [blocking]
  ///
  /// - Parameter expected: what is known from elsewhere of one row, such as from a look at an earlier time: without it nobody
  ///   can tell that rows are missing at the end, or that all were written anew.
  /// - Throws: `StoreError`: the file cannot be read.
  public static func verify(
    tenant: String, dataDirectory: String, expecting expected: Link? = nil
  ) throws(StoreError) -> [HashChain]? {
    guard let names = try tables(of: tenant, in: dataDirectory) else { return nil }
    let file = try DatabaseFile(StoreFile.path(in: dataDirectory, of: tenant), .reading)
    var chains: [HashChain] = []
    for name in names {
      var chain = HashChain(table: name)
      // Before the rows: a gateway that runs goes on writing.
      chain.anchor = anchor(of: name, tenant: tenant, in: dataDirectory)
      try chain.walk(file, [expected, chain.anchor].compactMap(\.self))
      chains.append(chain)
    }
    return chains
  }

  /// The names of a tenant's chained tables, in order; nil when the tenant has no file. [blocking]
  static func tables(
    of tenant: String, in dataDirectory: String
  ) throws(StoreError) -> [String]? {
    try StoreFile.rows(
      in: dataDirectory, of: tenant,
      """
      SELECT m.name FROM sqlite_master m WHERE m.type = ?1 AND 3 = (
        SELECT COUNT(*) FROM pragma_table_info(m.name) WHERE name IN ('seq', 'previous_hash', 'hash'))
      ORDER BY m.name
      """, "table")?.compactMap { if case .text(let name) = $0[0] { name } else { nil } }
  }

  /// A table's name as it stands in a statement.
  static func quoted(_ table: String) -> String {
    "\""
      + table.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// The names of a table's columns, in the table's order.
  static func columns(
    of table: String, in file: DatabaseFile
  ) throws(StoreError) -> [String] {
    try file.rows("SELECT name FROM pragma_table_info(?1) ORDER BY cid", .text(table))
      .map { row in if case .text(let name) = row[0] { name } else { "" } }
  }

  /// What stands in the file `TABLE.head` of one of the tenant's folders.
  private static func anchor(of table: String, tenant: String, in dataDirectory: String) -> Link? {
    let folder = FilePath.resolve(tenant, in: FilePath.resolve("files", in: dataDirectory))
    for plugin in (try? FileSystem.names(in: folder)) ?? [] {
      let path = FilePath.resolve(table + ".head", in: FilePath.resolve(plugin, in: folder))
      guard let bytes = try? FileSystem.contents(of: path, limit: 128) else { continue }
      if let link = Link(String(decoding: bytes.filter { $0 != 0x0A }, as: UTF8.self)) {
        return link
      }
    }
    return nil
  }

  private mutating func walk(_ file: DatabaseFile, _ expected: [Link]) throws(StoreError) {
    let columns = try Self.columns(of: table, in: file)
    var last = Link(seq: 0, hash: String(repeating: "0", count: 64))
    while fault == nil {
      let page = try file.rows(
        "SELECT * FROM \(Self.quoted(table)) WHERE seq > ?1 ORDER BY seq LIMIT 1000",
        .integer(last.seq))
      for row in page {
        guard let next = check(row, columns, after: last, expected) else { return }
        last = next
        rows += 1
        head = next
      }
      if page.count < 1_000 { break }
    }
    if fault == nil, let missing = expected.map(\.seq).max(), missing > last.seq {
      fault = "row \(missing) is missing: the last is row \(last.seq)"
    }
  }

  /// The row's link, or nil when it does not hold, which `fault` then says.
  private mutating func check(
    _ row: [SQLValue], _ columns: [String], after last: Link, _ expected: [Link]
  ) -> Link? {
    var bytes: [UInt8] = []
    var values: [String: SQLValue] = [:]
    for (name, value) in zip(columns, row) {
      values[name] = value
      guard name != "hash" else { continue }
      switch value {
      case .null: continue
      case .integer(let number): bytes += Self.field(name, "i", String(number))
      case .text(let text): bytes += Self.field(name, "t", text)
      case .real, .blob:
        fault = "row \(last.seq + 1): its column \(name) holds what no chain has"
        return nil
      }
    }
    guard case .integer(let seq) = values["seq"], case .text(let hash) = values["hash"],
      case .text(let previous) = values["previous_hash"]
    else {
      fault = "row \(last.seq + 1) has no number or no hash"
      return nil
    }
    guard seq == last.seq + 1 else {
      fault = "row \(last.seq + 1) is missing: row \(seq) follows row \(last.seq)"
      return nil
    }
    guard previous == last.hash else {
      fault = "row \(seq) was not written after row \(last.seq) as it is now"
      return nil
    }
    guard HexDigest.sha256(bytes) == hash else {
      fault = "row \(seq) is not what was written: its hash is another"
      return nil
    }
    if expected.contains(where: { $0.seq == seq && $0.hash != hash }) {
      fault = "row \(seq) is not the one that is expected: its hash is \(hash)"
      return nil
    }
    follow(seq, values)
    return Link(seq: seq, hash: hash)
  }

  private static func field(_ name: String, _ type: String, _ value: String) -> [UInt8] {
    Array("\(name):\(type):\(value.utf8.count):".utf8) + Array(value.utf8) + [0x0A]
  }
}

extension HashChain {
  /// What two rows have in common of which one tells that something is begun and the other how it ended.
  fileprivate struct Beginning: Hashable {
    var app: String
    var actor: String
    var action: String
    var request: String
    var target: String?
  }

  /// Pairs a row that ends something with the one that began it.
  private mutating func follow(_ seq: Int64, _ values: [String: SQLValue]) {
    func text(_ name: String) -> String? {
      if case .text(let text)? = values[name] { text } else { nil }
    }
    guard let outcome = text("outcome"), let app = text("app_id"), let actor = text("actor"),
      let action = text("action"), let request = text("request_id")
    else { return }
    let key = Beginning(
      app: app, actor: actor, action: action, request: request, target: text("target"))
    if outcome == OperatorNotes.Outcome.begun.rawValue {
      begun[key, default: []].append(seq)
    } else if outcome == OperatorNotes.Outcome.done.rawValue
      || outcome == OperatorNotes.Outcome.failed.rawValue, var rows = begun[key]
    {
      // What was refused had not begun, though it may carry the same id of a request.
      rows.removeFirst()
      begun[key] = rows.isEmpty ? nil : rows
    }
  }
}
