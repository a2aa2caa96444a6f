internal import PluginKit

/// A part of a statement with its values: written like `SQL`, and put into several statements, or into other fragments.
struct Fragment: ExpressibleByStringInterpolation {
  fileprivate enum Piece {
    case text(String)
    case value(SQLValue)
  }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    init(literalCapacity: Int, interpolationCount: Int) {
      pieces.reserveCapacity(2 * interpolationCount + 1)
    }

    mutating func appendLiteral(_ literal: String) { pieces.append(.text(literal)) }

    /// A bound value.
    mutating func appendInterpolation(_ value: some SQLBindable) {
      pieces.append(.value(value.sqlValue))
    }

    /// A bound value as a row had it.
    mutating func appendInterpolation(value: SQLValue) { pieces.append(.value(value)) }

    /// Another fragment, with its values.
    mutating func appendInterpolation(_ fragment: Fragment) {
      pieces.append(contentsOf: fragment.pieces)
    }

    /// Text of the statement itself. Never of a client's making.
    mutating func appendInterpolation(raw: String) { pieces.append(.text(raw)) }

    /// Bound values, separated by commas.
    mutating func appendInterpolation(each values: [String]) {
      for (index, value) in values.enumerated() {
        if index > 0 { pieces.append(.text(", ")) }
        pieces.append(.value(value.sqlValue))
      }
    }
  }

  fileprivate let pieces: [Piece]

  init(stringLiteral value: String) { pieces = [.text(value)] }
  init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }
}

extension SQL.StringInterpolation {
  /// A fragment, with its values.
  mutating func appendInterpolation(_ fragment: Fragment) {
    for piece in fragment.pieces {
      switch piece {
      case .text(let text): appendLiteral(text)
      case .value(let value): appendInterpolation(value)
      }
    }
  }
}
