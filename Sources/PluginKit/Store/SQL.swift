/// One statement with its values: `"SELECT * FROM notes_items WHERE id = \(id)"`.
///
/// An interpolated value becomes a bound parameter, never text, so it cannot change the statement.
/// What must be text, such as a column's name, is written `\(raw: name)`.
public struct SQL: Sendable, Equatable {
  /// How many rows a statement of a batch must change or return, lest the batch fail as a whole.
  public enum Guard: Sendable, Equatable {
    case none
    case exactly(Int)
    case atLeast(Int)
  }

  /// One bound parameter.
  public struct Bind: Sendable, Equatable {
    /// Without the colon.
    public let name: String
    /// A copy, bound by the host and never put into the text.
    public let value: SQLValue

    /// - Parameter name: without the colon.
    public init(name: String, value: SQLValue) {
      self.name = name
      self.value = value
    }
  }

  /// The statement, with a `:name` for each value. One statement; it is prepared once for each text.
  public private(set) var text: String
  /// One for each `:name` in the text.
  public private(set) var binds: [Bind]
  /// How many rows it must change or return; set by `expect`.
  public private(set) var rowGuard: Guard = .none

  /// A statement with named parameters: `SQL(text: "… WHERE id = :id", ["id": id])`.
  ///
  /// - Parameter text: never of a client's making.
  public init(text: String, _ values: KeyValuePairs<String, any SQLBindable> = [:]) {
    self.text = text
    self.binds = values.map { Bind(name: $0.key, value: $0.value.sqlValue) }
  }

  /// The same statement, which must change or return `rows` rows, else the batch is a conflict.
  public func expect(exactly rows: Int) -> SQL {
    var copy = self
    copy.rowGuard = .exactly(rows)
    return copy
  }

  /// The same statement, which must change or return at least `rows` rows.
  public func expect(atLeast rows: Int) -> SQL {
    var copy = self
    copy.rowGuard = .atLeast(rows)
    return copy
  }
}

extension SQL {
  private static let parameterNames = (0..<32).map { "p\($0)" }

  fileprivate static func parameterName(_ index: Int) -> String {
    index < parameterNames.count ? parameterNames[index] : "p\(index)"
  }
}

extension SQL: ExpressibleByStringInterpolation {
  /// What a literal with `\(…)` is collected in: values are bound, never put into the text.
  public struct StringInterpolation: StringInterpolationProtocol {
    var text = ""
    var binds: [Bind] = []

    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + interpolationCount * 4)
      binds.reserveCapacity(interpolationCount)
    }

    public mutating func appendLiteral(_ literal: String) {
      text += literal
    }

    /// A bound value.
    public mutating func appendInterpolation<Value: SQLBindable>(_ value: Value) {
      appendInterpolation(value.sqlValue)
    }

    /// A bound value, or NULL.
    public mutating func appendInterpolation<Value: SQLBindable>(_ value: Value?) {
      appendInterpolation(value?.sqlValue ?? .null)
    }

    /// A bound value, also `\(.returned(from: 0, "id"))` and `\(.null)`.
    public mutating func appendInterpolation(_ value: SQLValue) {
      let name = SQL.parameterName(binds.count)
      text += ":"
      text += name
      binds.append(Bind(name: name, value: value))
    }

    /// Bound values, separated by commas: `WHERE id IN (\(each: ids))`.
    public mutating func appendInterpolation<Values: Sequence>(each values: Values)
    where Values.Element: SQLBindable {
      var isFirst = true
      for value in values {
        if !isFirst { text += ", " }
        isFirst = false
        appendInterpolation(value.sqlValue)
      }
    }

    /// Text of the statement itself. Never of a client's making.
    public mutating func appendInterpolation(raw: String) {
      text += raw
    }
  }

  public init(stringLiteral value: String) {
    self.init(text: value)
  }

  public init(stringInterpolation: StringInterpolation) {
    text = stringInterpolation.text
    binds = stringInterpolation.binds
  }
}
