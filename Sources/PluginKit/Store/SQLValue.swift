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
  /// Itself.
  public var sqlValue: SQLValue { self }
}

extension SQLBindable where Self: BinaryInteger {
  /// What does not fit 64 bits signed is clamped to them.
  public var sqlValue: SQLValue { .integer(Int64(clamping: self)) }
}

extension SQLReadable where Self: FixedWidthInteger {
  /// nil when it is no integer, or does not fit.
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
  /// 1 or 0, SQL having no Booleans.
  public var sqlValue: SQLValue { .integer(self ? 1 : 0) }

  /// Every integer but 0 is true; nil when it is no integer.
  public init?(sqlValue: SQLValue) {
    guard case .integer(let value) = sqlValue else { return nil }
    self = value != 0
  }
}

extension Double: SQLBindable, SQLReadable {
  /// A NaN is stored as NULL.
  public var sqlValue: SQLValue { .real(self) }

  /// An integer is read as the nearest number; nil for everything else.
  public init?(sqlValue: SQLValue) {
    switch sqlValue {
    case .real(let value): self = value
    case .integer(let value): self = Double(value)
    default: return nil
    }
  }
}

extension String: SQLBindable, SQLReadable {
  /// In UTF-8.
  public var sqlValue: SQLValue { .text(self) }

  /// nil when it is no text.
  public init?(sqlValue: SQLValue) {
    guard case .text(let value) = sqlValue else { return nil }
    self = value
  }
}

extension Substring: SQLBindable {
  /// A copy, in UTF-8.
  public var sqlValue: SQLValue { .text(String(self)) }
}

extension [UInt8]: SQLBindable, SQLReadable {
  /// A blob.
  public var sqlValue: SQLValue { .blob(self) }

  /// nil when it is no blob; a text is not read as its bytes.
  public init?(sqlValue: SQLValue) {
    guard case .blob(let value) = sqlValue else { return nil }
    self = value
  }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
  /// NULL for nil.
  public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension Optional: SQLReadable where Wrapped: SQLReadable {
  /// nil inside for NULL; nil outside when what stands there is no `Wrapped`.
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

  /// nil when it is no text. It is not read again as JSON: what was bound as `RawJSON` is good.
  public init?(sqlValue: SQLValue) {
    guard case .text(let value) = sqlValue else { return nil }
    self.init(unchecked: Array(value.utf8))
  }
}

extension Timestamp: SQLBindable, SQLReadable {
  /// Unix milliseconds.
  public var sqlValue: SQLValue { .integer(unixMilliseconds) }

  /// Unix milliseconds; nil when it is no integer.
  public init?(sqlValue: SQLValue) {
    guard case .integer(let value) = sqlValue else { return nil }
    self.init(unixMilliseconds: value)
  }
}
