import CSQLite

/// One run of a batch's or a read's statements, in order, into a row block.
struct SQLiteRun {
  let connection: SQLiteConnection
  let isRead: Bool
  /// First rows that later statements refer to, by the statement that returned them.
  private var referred: [Int: [String: SQLValue]?] = [:]

  init(connection: SQLiteConnection, isRead: Bool) {
    self.connection = connection
    self.isRead = isRead
  }

  /// Runs the statements as the connection's present owner. The row block is begun here and left
  /// open for what comes after the statements.
  mutating func run(_ statements: [Statement]) throws(StoreError) {
    connection.rows.begin()
    try findReferences(statements)
    for index in statements.indices {
      do throws(StoreError) {
        try run(statements[index], index)
      } catch {
        var error = error.at(statement: index)
        if error.sql == nil { error.sql = statements[index].sql }
        throw error
      }
    }
  }

  private mutating func findReferences(_ statements: [Statement]) throws(StoreError) {
    for (index, statement) in statements.enumerated() {
      for bind in statement.binds {
        guard case .reference(let target, _) = bind.value else { continue }
        guard (0..<index).contains(target) else {
          throw StoreError(
            .invalid,
            "bind \(bind.name) refers to statement \(target), which does not come before it",
            statement: index, sql: statement.sql)
        }
        referred[target] = .some(nil)
      }
    }
  }

  private mutating func run(_ request: Statement, _ index: Int) throws(StoreError) {
    let statement = try connection.statement(request.sql)
    if isRead, !statement.isReadOnly {
      throw StoreError(.forbidden, "a read may not change anything; use a batch")
    }
    defer { statement.reset() }
    try bind(request.binds, to: statement)
    let rows = connection.rows
    var returned: Int64 = 0
    // The columns are certain only after the first step.
    var result = statement.step()
    rows.beginStatement(
      columnCount: statement.columns.count, encodedNames: statement.encodedColumns)
    while result != SQLITE_DONE {
      guard result == SQLITE_ROW else { throw connection.failure(result, sql: request.sql) }
      if returned == 0, referred[index] != nil {
        referred[index] = .some(firstRow(of: statement))
      }
      returned += 1
      statement.append(to: rows)
      guard rows.count <= connection.options.maximumResultBytes else {
        throw StoreError(
          .tooLarge,
          "the result is over \(connection.options.maximumResultBytes) bytes; ask for fewer rows")
      }
      result = sqlite3_step(statement.handle)
    }
    let changed = statement.isReadOnly ? 0 : sqlite3_changes64(connection.handle)
    rows.endStatement(rowsChanged: changed)
    if !isRead { try check(request.guard, statement.columns.isEmpty ? changed : returned) }
  }

  private func firstRow(of statement: SQLiteStatement) -> [String: SQLValue] {
    var row: [String: SQLValue] = [:]
    for (index, name) in statement.columns.enumerated() {
      row[name] = statement.value(at: Int32(index))
    }
    return row
  }

  private func check(_ guard: Statement.Guard, _ rows: Int64) throws(StoreError) {
    switch `guard` {
    case .exactly(let expected) where rows != expected:
      throw StoreError(.conflict, "\(rows) rows where exactly \(expected) were expected")
    case .atLeast(let expected) where rows < expected:
      throw StoreError(.conflict, "\(rows) rows where at least \(expected) were expected")
    case .none, .exactly, .atLeast: break
    }
  }

  private func bind(_ binds: [Bind], to statement: SQLiteStatement) throws(StoreError) {
    let parameters = statement.parameters
    for (index, name) in parameters.enumerated() {
      // Binds mostly come in the order of the parameters.
      let place =
        index < binds.count && binds[index].name == name
        ? index : binds.firstIndex { $0.name == name }
      guard let place else {
        throw StoreError(.invalid, "no bind for the parameter :\(name)")
      }
      let result =
        switch binds[place].value {
        case .value(let value): statement.bind(value, at: Int32(index + 1))
        case .reference(let target, let column):
          statement.bind(try resolve(target, column), at: Int32(index + 1))
        }
      guard result == SQLITE_OK else { throw connection.failure(result) }
    }
    // Every parameter has found its bind, so a greater number means strangers or doubles.
    guard binds.count > parameters.count else { return }
    for (index, bind) in binds.enumerated() {
      guard parameters.contains(bind.name) else {
        throw StoreError(.invalid, "there is no parameter :\(bind.name)")
      }
      guard binds.firstIndex(where: { $0.name == bind.name }) == index else {
        throw StoreError(.invalid, "two binds for the parameter :\(bind.name)")
      }
    }
  }

  private func resolve(_ target: Int, _ column: String) throws(StoreError) -> SQLValue {
    guard case .some(.some(let row)) = referred[target] else {
      throw StoreError(
        .conflict, "statement \(target), whose \(column) is needed, returned no row")
    }
    guard let value = row[column] else {
      throw StoreError(.invalid, "statement \(target) returns no column called \(column)")
    }
    return value
  }
}
