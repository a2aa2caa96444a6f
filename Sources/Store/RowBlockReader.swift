/// Bytes that are not a row block.
public struct MalformedRowBlock: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was expected.
  public var reason: String
  /// Where, in bytes from the start.
  public var position: Int

  public var description: String { "malformed row block at byte \(position): \(reason)" }
}

/// Walks a row block without copying it. Every length is checked before it is used.
///
/// The bytes must outlive the reader and every cell taken from it.
public struct RowBlockReader {
  /// What stands before a statement's cells.
  public struct Header: Sendable, Equatable {
    /// Rows inserted, updated or deleted.
    public var rowsChanged: Int64
    /// Rows that follow, each with a cell for every column.
    public var rowCount: Int
    /// In the order of the statement; empty when it returns none.
    public var columns: [String]
  }

  /// One value. Text and blobs point into the block.
  public enum Cell {
    case null
    case integer(Int64)
    case real(Double)
    case text(UnsafeRawBufferPointer)
    case blob(UnsafeRawBufferPointer)

    /// A copy. Invalid UTF-8 in text is repaired.
    public var value: SQLValue {
      switch self {
      case .null: .null
      case .integer(let value): .integer(value)
      case .real(let value): .real(value)
      case .text(let bytes): .text(String(decoding: bytes, as: UTF8.self))
      case .blob(let bytes): .blob([UInt8](bytes))
      }
    }
  }

  /// Statements in the whole block, walked or not.
  public private(set) var statementCount = 0
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var statementsLeft = 0
  private var cellsLeft = 0

  /// - Throws: when the block is too short for its count of statements. What stands in them is found
  ///   malformed as it is walked.
  public init(_ bytes: UnsafeRawBufferPointer) throws(MalformedRowBlock) {
    self.bytes = bytes
    let count = try integer(UInt32.self, "statement count")
    // A statement takes at least 16 bytes, so a count beyond that is a lie told to exhaust memory.
    guard Int(count) <= (bytes.count - position) / 16 else {
      throw MalformedRowBlock(reason: "\(count) statements do not fit", position: 0)
    }
    statementsLeft = Int(count)
    statementCount = Int(count)
  }

  /// Goes to the next statement, over any cells of the present one not yet read; `nil` at the end.
  public mutating func nextStatement() throws(MalformedRowBlock) -> Header? {
    while cellsLeft > 0 { _ = try nextCell() }
    guard statementsLeft > 0 else { return nil }
    statementsLeft -= 1
    let rowsChanged = try integer(Int64.self, "rows changed")
    let start = position
    let rowCount = Int(try integer(UInt32.self, "row count"))
    let columnCount = Int(try integer(UInt32.self, "column count"))
    let left = bytes.count - position
    guard columnCount <= left / 4, columnCount > 0 || rowCount == 0 else {
      throw MalformedRowBlock(reason: "\(columnCount) columns do not fit", position: start)
    }
    var columns: [String] = []
    columns.reserveCapacity(columnCount)
    for _ in 0..<columnCount {
      columns.append(String(decoding: try run("column name"), as: UTF8.self))
    }
    let (cells, overflow) = rowCount.multipliedReportingOverflow(by: columnCount)
    guard !overflow, cells <= bytes.count - position else {
      throw MalformedRowBlock(reason: "\(rowCount) rows do not fit", position: start)
    }
    cellsLeft = cells
    return Header(rowsChanged: rowsChanged, rowCount: rowCount, columns: columns)
  }

  /// The next cell of the present statement, row by row.
  public mutating func nextCell() throws(MalformedRowBlock) -> Cell {
    guard cellsLeft > 0 else {
      throw MalformedRowBlock(reason: "no cell is left in this statement", position: position)
    }
    cellsLeft -= 1
    let start = position
    switch try integer(UInt8.self, "kind of cell") {
    case SQLKind.null: return .null
    case SQLKind.integer: return .integer(try integer(Int64.self, "integer"))
    case SQLKind.real:
      return .real(Double(bitPattern: try integer(UInt64.self, "real")))
    case SQLKind.text: return .text(try run("text"))
    case SQLKind.blob: return .blob(try run("blob"))
    case let kind:
      throw MalformedRowBlock(reason: "unknown kind of cell \(kind)", position: start)
    }
  }

  /// Reads what follows the statements: a batch's event positions and epoch, or `nil` after a read.
  /// Anything left over is an error.
  @discardableResult
  public mutating func finish() throws(MalformedRowBlock) -> (
    events: [EventPosition], epoch: String
  )? {
    while try nextStatement() != nil {}
    guard position < bytes.count else { return nil }
    let start = position
    let count = Int(try integer(UInt32.self, "event count"))
    guard count <= (bytes.count - position) / 16 else {
      throw MalformedRowBlock(reason: "\(count) events do not fit", position: start)
    }
    var events: [EventPosition] = []
    events.reserveCapacity(count)
    for _ in 0..<count {
      let sequence = try integer(Int64.self, "sequence")
      let offset = try integer(Int64.self, "offset")
      events.append(EventPosition(sequence: sequence, offset: offset == 0 ? nil : offset))
    }
    let epoch = String(decoding: try run("epoch"), as: UTF8.self)
    guard position == bytes.count else {
      throw MalformedRowBlock(reason: "bytes after the end", position: position)
    }
    return (events, epoch)
  }

  private mutating func integer<T: FixedWidthInteger>(
    _ type: T.Type, _ what: String
  ) throws(MalformedRowBlock) -> T {
    guard bytes.count - position >= MemoryLayout<T>.size else {
      throw MalformedRowBlock(reason: "ends before its \(what)", position: position)
    }
    let value = bytes.loadUnaligned(fromByteOffset: position, as: T.self)
    position += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  private mutating func run(_ what: String) throws(MalformedRowBlock) -> UnsafeRawBufferPointer {
    let count = Int(try integer(UInt32.self, what))
    guard bytes.count - position >= count else {
      throw MalformedRowBlock(reason: "ends inside its \(what)", position: position)
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }
}
