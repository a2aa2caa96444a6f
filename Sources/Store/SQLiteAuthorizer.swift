import CSQLite

/// Says what the present owner may do, and why not.
///
/// It is set on a connection once, because setting an authorizer expires every prepared statement;
/// what changes is `mode` and `owner`. SQLite asks it while it compiles a statement, including those
/// that FTS5 compiles inside a running one. Owned by whichever thread has the connection.
final class SQLiteAuthorizer {
  enum Mode {
    /// The store's own statements: anything.
    case host
    /// An owner's batch or read: rows of its own tables.
    case data
    /// An owner's migration: its own tables, indexes, triggers and views as well.
    case migration
  }

  var mode = Mode.host
  var owner = Owner.host
  /// The reason of the first refusal since it was last cleared.
  var denial: String?
  /// Tables and views in the file, and owners with migrations in it.
  var schema = SQLiteSchema()

  private static let safeModules: Set<String> = ["fts5", "rtree"]
  /// Table-valued functions of the library that touch nothing but their arguments.
  private static let safeFunctionTables: Set<String> = ["json_each", "json_tree"]
  private static let unsafeFunctions: Set<String> = ["load_extension", "fts3_tokenizer"]

  func attach(to connection: OpaquePointer) {
    sqlite3_set_authorizer(
      connection,
      { context, action, first, second, _, _ in
        guard let context else { return SQLITE_DENY }
        return Unmanaged<SQLiteAuthorizer>.fromOpaque(context)._withUnsafeGuaranteedRef {
          $0.decide(action, first, second)
        }
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private func decide(
    _ action: Int32, _ first: UnsafePointer<CChar>?, _ second: UnsafePointer<CChar>?
  ) -> Int32 {
    guard mode != .host else { return SQLITE_OK }
    let first = first.map { String(cString: $0) } ?? ""
    let second = second.map { String(cString: $0) } ?? ""
    guard let reason = refusal(action, first, second) else { return SQLITE_OK }
    if denial == nil { denial = "\(owner) may not \(reason)" }
    return SQLITE_DENY
  }

  /// Why the action is refused, to be read after "may not"; `nil` when it is allowed.
  private func refusal(_ action: Int32, _ first: String, _ second: String) -> String? {
    switch action {
    case SQLITE_SELECT, SQLITE_RECURSIVE: return nil
    case SQLITE_READ: return readRefusal(table: first, column: second)
    case SQLITE_INSERT: return writeRefusal("write to", first)
    case SQLITE_UPDATE: return writeRefusal("change", first)
    case SQLITE_DELETE: return writeRefusal("delete from", first)
    case SQLITE_FUNCTION:
      return Self.unsafeFunctions.contains(second.lowercased()) ? "call \(second)()" : nil
    case SQLITE_PRAGMA: return pragmaRefusal(first, argument: second)
    case SQLITE_TRANSACTION: return "use \(first): a batch is one transaction already"
    case SQLITE_SAVEPOINT: return "use SAVEPOINT: a batch is one transaction already"
    case SQLITE_ATTACH: return "attach \(first.isEmpty ? "a database" : "the database " + first)"
    case SQLITE_DETACH: return "detach \(first)"
    default: return schemaRefusal(action, first, second)
    }
  }

  private func readRefusal(table: String, column: String) -> String? {
    if owns(table) || Self.safeFunctionTables.contains(table) { return nil }
    // The rowid, which tells nothing, is read when a virtual table is first used.
    if isSchemaTable(table), mode == .migration || column == "ROWID" { return nil }
    if table == "sqlite_sequence", mode == .migration { return nil }
    // Counting rows names no column. A name that is no table in the file is one of the statement's
    // own, from a WITH clause.
    let lower = table.lowercased()
    if column.isEmpty, !schema.tables.contains(lower), !isReserved(lower) { return nil }
    return "read table \(table)\(ownership(of: table))"
  }

  private func writeRefusal(_ verb: String, _ table: String) -> String? {
    // Creating and dropping write to the schema, and are judged by what they create or drop; a
    // connection's first use of a virtual table does too. A direct write SQLite refuses by itself.
    if owns(table) || isSchemaTable(table) { return nil }
    // ALTER and DROP keep the counters of AUTOINCREMENT in step.
    if table == "sqlite_sequence", mode == .migration { return nil }
    return "\(verb) table \(table)\(ownership(of: table))"
  }

  private func pragmaRefusal(_ name: String, argument: String) -> String? {
    // FTS5 asks for the data version to know when another connection has written, R*Tree for the
    // page size to choose that of its nodes.
    if name == "data_version" || name == "page_size", argument.isEmpty { return nil }
    if name == "defer_foreign_keys", mode == .migration { return nil }
    return "use PRAGMA \(name)"
  }

  private func schemaRefusal(_ action: Int32, _ first: String, _ second: String) -> String? {
    let kind: String
    var names = [first]
    switch action {
    case SQLITE_CREATE_TABLE, SQLITE_DROP_TABLE: kind = "table"
    case SQLITE_CREATE_VIEW, SQLITE_DROP_VIEW: kind = "view"
    case SQLITE_REINDEX: kind = "index"
    case SQLITE_CREATE_INDEX, SQLITE_DROP_INDEX:
      kind = "index"
      names = first.hasPrefix("sqlite_autoindex_") ? [second] : [first, second]
    case SQLITE_CREATE_TRIGGER, SQLITE_DROP_TRIGGER:
      kind = "trigger"
      names = [first, second]
    case SQLITE_ALTER_TABLE:
      kind = "table"
      names = [second]
    case SQLITE_CREATE_VTABLE, SQLITE_DROP_VTABLE:
      guard Self.safeModules.contains(second.lowercased()) else {
        return "use the virtual table module \(second)"
      }
      kind = "virtual table"
    case SQLITE_ANALYZE: return "use ANALYZE"
    case SQLITE_CREATE_TEMP_TABLE, SQLITE_CREATE_TEMP_INDEX, SQLITE_CREATE_TEMP_VIEW,
      SQLITE_CREATE_TEMP_TRIGGER, SQLITE_DROP_TEMP_TABLE, SQLITE_DROP_TEMP_INDEX,
      SQLITE_DROP_TEMP_VIEW, SQLITE_DROP_TEMP_TRIGGER:
      return "use temporary objects: \(first)"
    default: return "do that (SQLite action \(action))"
    }
    guard mode == .migration else {
      return "create, alter or drop \(kind) \(names[0]) outside a migration"
    }
    for name in names where !owns(name) && name != "sqlite_sequence" {
      return "create, alter or drop \(kind) \(name)\(ownership(of: name))"
    }
    return nil
  }

  private func owns(_ name: String) -> Bool { schema.owner(of: name, present: owner) == owner }

  private func isSchemaTable(_ name: String) -> Bool {
    name == "sqlite_master" || name == "sqlite_temp_master"
  }

  /// Names of the library's own tables, which hold or reveal what is everybody's.
  private func isReserved(_ name: String) -> Bool {
    name.hasPrefix("sqlite_") || name.hasPrefix("pragma_") || name == "dbstat"
      || name.hasPrefix("fts3tokenize") || name == "bytecode" || name == "tables_used"
  }

  private func ownership(of name: String) -> String {
    if isReserved(name.lowercased()) { return ", which belongs to SQLite" }
    if let other = schema.owner(of: name, present: owner) { return ", which belongs to \(other)" }
    return ", which does not begin with \(owner)_"
  }
}

/// What the authorizer needs to know of a file.
struct SQLiteSchema: Sendable {
  /// Rises with every migration of the file; other connections refresh when it does.
  var generation = 0
  /// Tables and views, in lower case.
  var tables: Set<String> = []
  /// Owners that have migrations in the file.
  var owners: Set<String> = []
  var epoch = ""

  /// The owner whose prefix fits the name best, among those known and the present one.
  func owner(of name: String, present: String) -> String? {
    let lower = name.lowercased()
    var best: String?
    func consider(_ owner: String) {
      guard lower.utf8.count > owner.utf8.count + 1, lower.hasPrefix(owner),
        lower.utf8.dropFirst(owner.utf8.count).first == UInt8(ascii: "_"),
        owner.utf8.count > best?.utf8.count ?? 0
      else { return }
      best = owner
    }
    consider(present)
    consider(Owner.host)
    for owner in owners { consider(owner) }
    return best
  }
}
