/// The results of a batch or a read in one piece of memory that crosses the plugin ABI unchanged.
///
/// All numbers are little-endian and unaligned.
/// ```
/// u32 statement_count, then for each statement
///   i64 rows_changed
///   u32 row_count, u32 column_count
///   column_count × (u32 length, name in UTF-8)
///   row_count × column_count × cell, row by row:
///     u8 kind   0 null     nothing
///               1 integer  i64
///               2 real     f64
///               3 text     u32 length, bytes
///               4 blob     u32 length, bytes
/// then, for a batch: u32 event_count, event_count × (u64 sequence, u64 offset, 0 for none)
///                    u32 length, epoch in UTF-8
/// ```
/// A read ends after the statements. ``RowBlockReader`` reads it, ``RowBlockWriter`` writes it.
public struct RowBlock: Sendable, Equatable {
  /// The block as a plugin gets it, little-endian.
  public var bytes: [UInt8]

  /// - Parameter bytes: not looked at; ``RowBlockReader`` finds what is malformed.
  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// One statement's result as Swift values.
  public struct Rows: Sendable, Equatable {
    /// Rows inserted, updated or deleted.
    public var rowsChanged: Int64
    /// In the order of the statement; empty when it returns none.
    public var columns: [String]
    /// Each with a value for every column.
    public var rows: [[SQLValue]]

    /// The value at a row and a column's name, or `nil` where there is none.
    public subscript(row: Int, column: String) -> SQLValue? {
      guard rows.indices.contains(row), let index = columns.firstIndex(of: column) else {
        return nil
      }
      return rows[row][index]
    }
  }

  /// All results as Swift values. Invalid UTF-8 in text is repaired.
  public func decoded() throws(MalformedRowBlock) -> [Rows] {
    var result: [Rows] = []
    var failure: MalformedRowBlock?
    bytes.withUnsafeBytes { buffer in
      do throws(MalformedRowBlock) {
        var reader = try RowBlockReader(buffer)
        while let header = try reader.nextStatement() {
          var rows: [[SQLValue]] = []
          rows.reserveCapacity(header.rowCount)
          for _ in 0..<header.rowCount {
            var row: [SQLValue] = []
            row.reserveCapacity(header.columns.count)
            for _ in 0..<header.columns.count { row.append(try reader.nextCell().value) }
            rows.append(row)
          }
          result.append(
            Rows(rowsChanged: header.rowsChanged, columns: header.columns, rows: rows))
        }
        try reader.finish()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }
}
