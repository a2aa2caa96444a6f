public import Store
internal import Wire

/// What stands in tables whose rows are bound to each other.
extension HashChain {
  private static let pageRows = 1_000

  /// The last rows of every chained table of a tenant, the oldest first, each as a JSON object of the columns that are not
  /// NULL: times, which are Unix milliseconds in columns that end in `_at`, by RFC 3339, and what columns that end in `_value`
  /// hold as the JSON that it is. Nil when the tenant has no file. The gateway may be running. [blocking]
  ///
  /// - Parameters:
  ///   - wanted: rows are passed over where one of these columns holds something else, or is not there.
  ///   - limit: of each table so many rows at most, from 1.
  /// - Throws: `StoreError`: the file cannot be read.
  public static func rows(
    of tenant: String, dataDirectory: String, where wanted: [(column: String, value: String)],
    limit: Int
  ) throws(StoreError) -> [(table: String, rows: [String])]? {
    guard let tables = try tables(of: tenant, in: dataDirectory) else { return nil }
    let file = try DatabaseFile(StoreFile.path(in: dataDirectory, of: tenant), .reading)
    var found: [(table: String, rows: [String])] = []
    for table in tables {
      let columns = try columns(of: table, in: file)
      var rows: [String] = []
      var before = Int64.max
      while rows.count < limit {
        let page = try file.rows(
          "SELECT * FROM \(quoted(table)) WHERE seq < ?1 ORDER BY seq DESC LIMIT \(pageRows)",
          .integer(before))
        for row in page where rows.count < limit {
          let values = Dictionary(zip(columns, row)) { first, _ in first }
          if case .integer(let seq)? = values["seq"] { before = seq }
          guard wanted.allSatisfy({ values[$0.column]?.words == $0.value }) else { continue }
          rows.append(described(columns, row))
        }
        if page.count < pageRows { break }
      }
      found.append((table, rows.reversed()))
    }
    return found
  }

  private static func described(_ columns: [String], _ row: [SQLValue]) -> String {
    ConfigValue.object(
      zip(columns, row).compactMap { name, value -> ConfigValue.Member? in
        switch value {
        case .null: return nil
        case .integer(let number) where name.hasSuffix("_at"):
          var time = ByteWriter(growingFrom: 32)
          defer { time.deallocate() }
          time.append(rfc3339: number)
          return .init(name, .string(time.text))
        case .integer(let number): return .init(name, .integer(Int(number)))
        case .text(let text):
          if name.hasSuffix("_value"),
            let source = try? ConfigReader.read(text: Array(text.utf8), name: name)
          {
            return .init(String(name.dropLast("_value".count)), source.root)
          }
          return .init(name, .string(text))
        // No chained table has them: `verify` says so.
        case .real, .blob: return .init(name, .string("?"))
        }
      }
    ).json
  }
}

extension SQLValue {
  /// As it is compared with what somebody has typed; nil for what nobody types.
  fileprivate var words: String? {
    switch self {
    case .text(let text): text
    case .integer(let number): String(number)
    case .null, .real, .blob: nil
    }
  }
}
