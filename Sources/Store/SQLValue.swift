/// A value in a database column.
public enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case real(Double)
  /// UTF-8 text.
  case text(String)
  case blob([UInt8])
}

/// The kinds of value as they stand in a row block, one byte each.
enum SQLKind {
  static let null: UInt8 = 0
  static let integer: UInt8 = 1
  static let real: UInt8 = 2
  static let text: UInt8 = 3
  static let blob: UInt8 = 4
}
