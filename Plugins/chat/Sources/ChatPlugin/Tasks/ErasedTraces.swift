internal import PluginKit

/// What becomes of rows that have an erased user.
extension ChatShard {
  /// - Parameter pseudonym: nil where nothing stays that has one.
  func erase(
    _ trace: Trace, of user: String, leaving pseudonym: String?
  ) async throws -> Slice {
    let key = trace.key.joined(separator: ", ")
    let rows = try await context.store.read(
      """
      SELECT \(raw: key) FROM \(raw: trace.table)
      WHERE \(raw: trace.column) = \(user) AND \(raw: trace.condition) LIMIT \(tasks.rows)
      """)
    guard !rows.isEmpty else { return .last }
    let those: Fragment = "(\(raw: key)) IN (VALUES \(Self.values(of: trace.key, in: rows)))"
    var slice = Slice()
    switch (trace.end, pseudonym) {
    case (.cleared, _):
      slice.batch.add(
        "UPDATE \(raw: trace.table) SET \(raw: trace.column) = NULL WHERE \(those)")
    case (.asMessages, let pseudonym?):
      if trace.table == "chat_thread_members" {
        let parents = try rows.map { try $0["parent", String.self] }
        Self.moveThreads(parents, of: user, to: pseudonym, &slice.batch)
      } else {
        Self.move(trace, those, of: user, to: pseudonym, &slice.batch)
      }
    case (.removed, _), (.asMessages, nil):
      slice.batch.add("DELETE FROM \(raw: trace.table) WHERE \(those)")
    }
    return slice
  }

  /// Has rows be a pseudonym's from then on. Where that has its own row already, which others may have brought about since his messages are
  /// the pseudonym's, his goes.
  private static func move(
    _ trace: Trace, _ those: Fragment, of user: String, to pseudonym: String, _ batch: inout Batch
  ) {
    let (table, column) = (trace.table, trace.column)
    if trace.key.contains(column) {
      let same = trace.key.filter { $0 != column }.map { "o.\($0) = \(table).\($0)" }
      batch.add(
        """
        DELETE FROM \(raw: table) WHERE \(raw: column) = \(user) AND \(those)
          AND EXISTS (SELECT 1 FROM \(raw: table) o
            WHERE \(raw: same.joined(separator: " AND ")) AND o.\(raw: column) = \(pseudonym))
        """)
    }
    batch.add(
      """
      UPDATE \(raw: table) SET \(raw: column) = \(pseudonym)
      WHERE \(raw: column) = \(user) AND \(those)
      """)
  }

  /// Has what a user is in threads be a pseudonym's, added to what that is there already.
  static func moveThreads(
    _ parents: [String], of user: String, to pseudonym: String, _ batch: inout Batch
  ) {
    let his: Fragment = """
      FROM chat_thread_members o WHERE o.parent = chat_thread_members.parent AND o.user_id = \(user)
      """
    let those: Fragment = "parent IN (\(each: parents))"
    batch.add(
      """
      UPDATE chat_thread_members SET replies = replies + (SELECT o.replies \(his)),
        place = CASE WHEN place = 0 THEN (SELECT o.place \(his)) ELSE place END
      WHERE user_id = \(pseudonym) AND \(those) AND EXISTS (SELECT 1 \(his))
      """)
    let trace = Trace(
      table: "chat_thread_members", column: "user_id", key: ["parent", "user_id"], end: .asMessages)
    move(trace, those, of: user, to: pseudonym, &batch)
  }

  /// The rows of some columns, as a statement lists them.
  static func values(of columns: [String], in rows: Rows) -> Fragment {
    var values: Fragment = ""
    for (index, row) in rows.enumerated() {
      var cells: Fragment = ""
      for (place, column) in columns.enumerated() {
        cells = place == 0 ? "" : "\(cells), "
        cells = "\(cells)\(value: row[column] ?? .null)"
      }
      values = index == 0 ? "(\(cells))" : "\(values), (\(cells))"
    }
    return values
  }
}
