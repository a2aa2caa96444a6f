internal import CSluice

/// The result of a batch or a read, taken apart (`sluice/ext/store.h`). Every length is checked before
/// it is used, so bytes that are no row block are an error and nothing else.
struct RowBlock: Sendable {
  let statements: [Rows]
  /// After a batch only.
  let events: [Commit.Position]
  let epoch: String

  init(_ bytes: [UInt8]) throws {
    self = try bytes.withUnsafeBytes { try RowBlock($0) }
  }

  /// Copies what it keeps.
  init(_ bytes: UnsafeRawBufferPointer) throws(RowBlockError) {
    var reader = Reader(bytes: bytes)
    // A statement takes at least 16 bytes: a greater count is a lie that would exhaust memory.
    let count = try reader.count("statements", each: 16)
    var statements: [Rows] = []
    statements.reserveCapacity(count)
    for _ in 0..<count { statements.append(try reader.rows()) }
    self.statements = statements
    guard !reader.isAtEnd else {
      events = []
      epoch = ""
      return
    }
    let eventCount = try reader.count("events", each: 16)
    var events: [Commit.Position] = []
    events.reserveCapacity(eventCount)
    for _ in 0..<eventCount {
      let sequence = try reader.integer(UInt64.self)
      events.append(Commit.Position(sequence: sequence, offset: try reader.integer(UInt64.self)))
    }
    self.events = events
    epoch = try reader.text()
    guard reader.isAtEnd else {
      throw RowBlockError(position: reader.position, reason: "bytes after the end")
    }
  }
}

extension RowBlock {
  /// What a call to the store has brought.
  ///
  /// - Throws: `StoreError`, which the result then describes; `RowBlockError`.
  init(of result: sluice_slice_t, _ status: sluice_status_t) throws {
    guard status >= 0 else { throw StoreError(Status(rawValue: status), result.text) }
    self = try Bytes(result).withUnsafeBytes { try RowBlock($0) }
  }
}

extension Commit {
  init(_ block: RowBlock) {
    self.init(statements: block.statements, events: block.events, epoch: block.epoch)
  }
}

/// Bytes that are no row block: the host's mistake.
struct RowBlockError: Error, Equatable {
  let position: Int
  let reason: String
}

private struct Reader {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  var isAtEnd: Bool { position == bytes.count }

  mutating func integer<Value: FixedWidthInteger>(_: Value.Type) throws(RowBlockError) -> Value {
    let size = MemoryLayout<Value>.size
    guard bytes.count - position >= size else {
      throw RowBlockError(position: position, reason: "ends inside a number")
    }
    let at = position
    position += size
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Value.self))
  }

  /// A count of things that take at least `size` bytes each.
  mutating func count(_ what: String, each size: Int) throws(RowBlockError) -> Int {
    let start = position
    let count = Int(try integer(UInt32.self))
    guard count <= (bytes.count - position) / size else {
      throw RowBlockError(position: start, reason: "\(count) \(what) do not fit")
    }
    return count
  }

  mutating func run() throws(RowBlockError) -> UnsafeRawBufferPointer {
    let count = try count("bytes", each: 1)
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  mutating func text() throws(RowBlockError) -> String {
    String(decoding: try run(), as: UTF8.self)
  }

  mutating func rows() throws(RowBlockError) -> Rows {
    let changed = try integer(Int64.self)
    let start = position
    let rowCount = Int(try integer(UInt32.self))
    let columnCount = try count("columns", each: 4)
    var columns: [String] = []
    columns.reserveCapacity(columnCount)
    for _ in 0..<columnCount { columns.append(try text()) }
    let (cellCount, overflow) = rowCount.multipliedReportingOverflow(by: columnCount)
    // Rows without columns would be counted and never end.
    guard !overflow, cellCount <= bytes.count - position, columnCount > 0 || rowCount == 0 else {
      throw RowBlockError(position: start, reason: "\(rowCount) rows do not fit")
    }
    var cells: [SQLValue] = []
    cells.reserveCapacity(cellCount)
    for _ in 0..<cellCount { cells.append(try cell()) }
    return Rows(changed: Int(clamping: changed), columns: columns, cells: cells, count: rowCount)
  }

  private mutating func cell() throws(RowBlockError) -> SQLValue {
    let start = position
    switch try integer(UInt8.self) {
    case 0: return .null
    case 1: return .integer(try integer(Int64.self))
    case 2: return .real(Double(bitPattern: try integer(UInt64.self)))
    case 3: return .text(try text())
    case 4: return .blob(Array(try run()))
    case let kind: throw RowBlockError(position: start, reason: "there is no kind of cell \(kind)")
    }
  }
}
