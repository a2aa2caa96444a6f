/// Writes row blocks into memory that it keeps between blocks. One thread at a time.
///
/// Call `begin`, then for each statement `beginStatement`, per row `beginRow` and one `append` per
/// column, `endStatement`; last `appendEvents`, for a batch, and `finish`.
public final class RowBlockWriter {
  @exclusivity(unchecked) private var base: UnsafeMutableRawPointer
  @exclusivity(unchecked) private var capacity: Int
  @exclusivity(unchecked) private var statementStart = 0
  @exclusivity(unchecked) private var statementCount: UInt32 = 0
  @exclusivity(unchecked) private var rowCount: UInt32 = 0
  /// Bytes written since `begin`.
  @exclusivity(unchecked) public private(set) var count = 0

  /// Holds 4 KiB and grows. One thread at a time.
  public init() {
    capacity = 4096
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// Starts a block, dropping what was not finished.
  public func begin() {
    count = 0
    statementCount = 0
    appendInteger(UInt32(0))
  }

  /// Begins the result of the next statement; rows follow, each begun by ``beginRow()``.
  public func beginStatement(columns: [String]) {
    beginStatement(columnCount: columns.count) { writer in
      for column in columns { writer.appendRun(column) }
    }
  }

  /// As `beginStatement(columns:)` with names already encoded as (u32 length, bytes) each.
  func beginStatement(columnCount: Int, encodedNames: [UInt8]) {
    beginStatement(columnCount: columnCount) { writer in
      encodedNames.withUnsafeBytes { writer.appendBytes($0) }
    }
  }

  private func beginStatement(columnCount: Int, names: (RowBlockWriter) -> Void) {
    statementCount += 1
    rowCount = 0
    statementStart = count
    appendInteger(Int64(0))
    appendInteger(UInt32(0))
    appendInteger(UInt32(truncatingIfNeeded: columnCount))
    names(self)
  }

  /// Begins a row: a value for every column must follow.
  public func beginRow() { rowCount += 1 }

  /// Adds the row's next value.
  public func append(_ value: SQLValue) {
    switch value {
    case .null: appendNull()
    case .integer(let value): append(integer: value)
    case .real(let value): append(real: value)
    case .text(var text): text.withUTF8 { append(text: UnsafeRawBufferPointer($0)) }
    case .blob(let bytes): bytes.withUnsafeBytes { append(blob: $0) }
    }
  }

  /// Adds NULL as the row's next value.
  public func appendNull() { appendInteger(SQLKind.null) }

  /// Adds an integer as the row's next value.
  public func append(integer value: Int64) {
    appendInteger(SQLKind.integer)
    appendInteger(value)
  }

  /// Adds a number as the row's next value, by its bits.
  public func append(real value: Double) {
    appendInteger(SQLKind.real)
    appendInteger(value.bitPattern)
  }

  /// Adds a text, which the caller knows to be UTF-8, up to 4 GiB. The bytes are copied.
  public func append(text bytes: UnsafeRawBufferPointer) {
    appendInteger(SQLKind.text)
    appendInteger(UInt32(truncatingIfNeeded: bytes.count))
    appendBytes(bytes)
  }

  /// Adds a blob, up to 4 GiB. The bytes are copied.
  public func append(blob bytes: UnsafeRawBufferPointer) {
    appendInteger(SQLKind.blob)
    appendInteger(UInt32(truncatingIfNeeded: bytes.count))
    appendBytes(bytes)
  }

  /// Closes the statement begun last.
  public func endStatement(rowsChanged: Int64) {
    base.storeBytes(
      of: rowsChanged.littleEndian, toByteOffset: statementStart, as: Int64.self)
    base.storeBytes(
      of: rowCount.littleEndian, toByteOffset: statementStart + 8, as: UInt32.self)
  }

  /// What a batch's block has after its statements.
  public func appendEvents(_ events: [EventPosition], epoch: String) {
    appendInteger(UInt32(truncatingIfNeeded: events.count))
    for event in events {
      appendInteger(event.sequence)
      appendInteger(event.offset ?? 0)
    }
    appendRun(epoch)
  }

  /// A copy of the block; the writer is ready for the next `begin`.
  public func finish() -> RowBlock {
    base.storeBytes(of: statementCount.littleEndian, toByteOffset: 0, as: UInt32.self)
    let block = RowBlock(bytes: [UInt8](UnsafeRawBufferPointer(start: base, count: count)))
    // One huge result must not hold its memory for as long as the connection lives.
    if capacity > 1 << 20 {
      base.deallocate()
      capacity = 4096
      base = .allocate(byteCount: capacity, alignment: 16)
    }
    count = 0
    return block
  }

  private func appendRun(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      appendInteger(UInt32(truncatingIfNeeded: bytes.count))
      appendBytes(UnsafeRawBufferPointer(bytes))
    }
  }

  private func appendInteger<T: FixedWidthInteger>(_ value: T) {
    reserve(MemoryLayout<T>.size)
    base.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  private func appendBytes(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count)
    (base + count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }

  private func reserve(_ more: Int) {
    guard count + more > capacity else { return }
    let larger = max(capacity * 2, count + more)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    fresh.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = fresh
    capacity = larger
  }
}
