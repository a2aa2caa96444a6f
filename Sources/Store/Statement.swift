/// One SQL statement with the values of its named parameters.
///
/// The text must hold exactly one statement, and its parameters are written `:name`. Every parameter
/// needs a bind and every bind a parameter; anything else is refused with ``StoreError/Code/invalid``.
public struct Statement: Sendable, Equatable {
  /// How many rows a statement must change or return.
  public enum Guard: Sendable, Equatable {
    case none
    case exactly(Int64)
    case atLeast(Int64)
  }

  /// One statement; a second one behind it is refused. Its text is the key under which it stays prepared.
  public var sql: String
  /// One for each named parameter, in any order. A name that is not in the text is refused.
  public var binds: [Bind]
  /// Checked against the rows returned, when the statement returns columns, and against the rows
  /// changed otherwise. When it does not hold the whole batch is rolled back with
  /// ``StoreError/Code/conflict``. Ignored in reads.
  public var `guard`: Guard

  /// Nothing is checked before the statement runs.
  public init(_ sql: String, binds: [Bind] = [], guard: Guard = .none) {
    self.sql = sql
    self.binds = binds
    self.guard = `guard`
  }
}

/// The value of one named parameter.
public struct Bind: Sendable, Equatable {
  /// What a parameter stands for: a value, or one that an earlier statement returns.
  public enum Value: Sendable, Equatable {
    case value(SQLValue)
    /// The column `column` of the first row that statement number `statement` (from 0) of the same
    /// batch or read returned. It must come before the statement that refers to it; when it
    /// returned no row the batch ends with ``StoreError/Code/conflict``.
    case reference(statement: Int, column: String)

    /// SQL's NULL.
    public static var null: Value { .value(.null) }
    /// 64 bits, signed.
    public static func integer(_ value: Int64) -> Value { .value(.integer(value)) }
    /// SQLite stores a NaN as NULL.
    public static func real(_ value: Double) -> Value { .value(.real(value)) }
    /// In UTF-8.
    public static func text(_ value: String) -> Value { .value(.text(value)) }
    /// Bound as it is.
    public static func blob(_ value: [UInt8]) -> Value { .value(.blob(value)) }
  }

  /// Without the colon.
  public var name: String
  /// What the parameter stands for.
  public var value: Value

  /// - Parameter name: without the colon.
  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }
}
