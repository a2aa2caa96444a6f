/// A value of SQL: what is bound to a statement and what stands in a row.
public enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
  /// In binds of a batch only: a column of the first row that an earlier statement returned.
  case returned(from: Int, String)
}

/// A type that can be bound to a statement.
public protocol SQLBindable {
  var sqlValue: SQLValue { get }
}

/// A type that can be read from a column.
public protocol SQLReadable {
  /// The value, or nil when the column holds something else.
  init?(sqlValue: SQLValue)
}

extension SQLValue: SQLBindable {
  public var sqlValue: SQLValue { self }
}

extension SQLBindable where Self: BinaryInteger {
  public var sqlValue: SQLValue { .integer(Int64(clamping: self)) }
}

extension SQLReadable where Self: FixedWidthInteger {
  public init?(sqlValue: SQLValue) {
    guard case .integer(let value) = sqlValue else { return nil }
    self.init(exactly: value)
  }
}

extension Int: SQLBindable, SQLReadable {}
extension Int32: SQLBindable, SQLReadable {}
extension Int64: SQLBindable, SQLReadable {}
extension UInt32: SQLBindable, SQLReadable {}
/// Values above `Int64.max` are bound as `Int64.max`.
extension UInt64: SQLBindable, SQLReadable {}

extension Bool: SQLBindable, SQLReadable {
  public var sqlValue: SQLValue { .integer(self ? 1 : 0) }

  public init?(sqlValue: SQLValue) {
    guard case .integer(let value) = sqlValue else { return nil }
    self = value != 0
  }
}

extension Double: SQLBindable, SQLReadable {
  public var sqlValue: SQLValue { .real(self) }

  public init?(sqlValue: SQLValue) {
    switch sqlValue {
    case .real(let value): self = value
    case .integer(let value): self = Double(value)
    default: return nil
    }
  }
}

extension String: SQLBindable, SQLReadable {
  public var sqlValue: SQLValue { .text(self) }

  public init?(sqlValue: SQLValue) {
    guard case .text(let value) = sqlValue else { return nil }
    self = value
  }
}

extension Substring: SQLBindable {
  public var sqlValue: SQLValue { .text(String(self)) }
}

extension [UInt8]: SQLBindable, SQLReadable {
  public var sqlValue: SQLValue { .blob(self) }

  public init?(sqlValue: SQLValue) {
    guard case .blob(let value) = sqlValue else { return nil }
    self = value
  }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
  public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension Optional: SQLReadable where Wrapped: SQLReadable {
  public init?(sqlValue: SQLValue) {
    if case .null = sqlValue {
      self = nil
      return
    }
    guard let value = Wrapped(sqlValue: sqlValue) else { return nil }
    self = value
  }
}

extension RawJSON: SQLBindable, SQLReadable {
  /// Text, so that SQLite's JSON functions can read it.
  public var sqlValue: SQLValue { .text(text) }

  public init?(sqlValue: SQLValue) {
    guard case .text(let value) = sqlValue else { return nil }
    self.init(unchecked: Array(value.utf8))
  }
}

extension Timestamp: SQLBindable, SQLReadable {
  /// Unix milliseconds.
  public var sqlValue: SQLValue { .integer(unixMilliseconds) }

  public init?(sqlValue: SQLValue) {
    guard case .integer(let value) = sqlValue else { return nil }
    self.init(unixMilliseconds: value)
  }
}
