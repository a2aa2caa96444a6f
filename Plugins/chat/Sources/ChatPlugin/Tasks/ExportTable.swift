internal import PluginKit

/// Something of a user's that an export has, a line for each row.
struct ExportTable {
  enum Form { case text, number, flag, time, json }

  struct Column {
    let name: String
    let sql: String
    let form: Form

    init(_ name: String, _ form: Form = .text, _ sql: String? = nil) {
      self.name = name
      self.sql = sql ?? "x.\(name)"
      self.form = form
    }
  }

  /// What its lines have as `type`.
  let kind: String
  let columns: [Column]
  /// Names the table whose rows are read `x`.
  let from: String
  /// Which column has the user.
  var user = "x.user_id"
  var condition = "1 = 1"
  /// In whose order they are read; no two rows have the same.
  let key: [Column]

  /// Those that come behind a position.
  ///
  /// - Parameter position: the values of the key, as texts; empty is the beginning.
  func rows(of user: String, after position: [String], limit: Int) -> SQL {
    let selected =
      columns.map { "\($0.sql) AS \"\($0.name)\"" }
      + key.enumerated().map { "\($1.sql) AS key_\($0)" }
    let order = key.map(\.sql).joined(separator: ", ")
    var behind: Fragment = "1 = 1"
    if !position.isEmpty {
      var values: Fragment = ""
      for (index, (text, column)) in zip(position, key).enumerated() {
        if index > 0 { values = "\(values), " }
        values =
          column.form == .text ? "\(values)\(text)" : "\(values)\(Int64(text) ?? 0)"
      }
      behind = "(\(raw: order)) > (\(values))"
    }
    return """
      SELECT \(raw: selected.joined(separator: ", ")) FROM \(raw: from)
      WHERE \(raw: self.user) = \(user) AND \(raw: condition) AND \(behind)
      ORDER BY \(raw: order) LIMIT \(limit)
      """
  }

  /// Behind a row.
  func position(_ row: Row) throws -> [String] {
    try key.enumerated().map { index, column in
      try column.form == .text
        ? row["key_\(index)", String.self] : "\(row["key_\(index)", Int64.self])"
    }
  }

  func line(_ row: Row) throws -> [UInt8] {
    var line = ExportLine(type: kind)
    for column in columns {
      let value: ExportLine.Value? =
        switch column.form {
        case .text: try row[column.name, String?.self].map { .text($0) }
        case .number: try row[column.name, Int64?.self].map { .number($0) }
        case .flag: try row[column.name, Int64?.self] == 1 ? .flag(true) : nil
        case .time: try row[column.name, Timestamp?.self].map { .text($0.rfc3339) }
        case .json: try row[column.name, RawJSON?.self].map { .json($0) }
        }
      if let value { line.members.append((column.name, value)) }
    }
    return try JSON.encode(line) + [UInt8(ascii: "\n")]
  }
}

/// A line of an export: what is not there has no member.
struct ExportLine: Encodable {
  enum Value {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case json(RawJSON)
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  let type: String
  var members: [(String, Value)] = []

  init(type: String) { self.type = type }

  func encode(to encoder: any Encoder) throws {
    var line = encoder.container(keyedBy: Name.self)
    try line.encode(type, forKey: Name(stringValue: "type"))
    for (name, value) in members {
      let key = Name(stringValue: name)
      switch value {
      case .text(let text): try line.encode(text, forKey: key)
      case .number(let number): try line.encode(number, forKey: key)
      case .flag(let flag): try line.encode(flag, forKey: key)
      case .json(let json): try line.encode(json, forKey: key)
      }
    }
  }
}
