internal import PluginKit

/// How far a session's tokens have come: all that is kept of them.
struct RefreshState {
  /// What a token is to its session.
  enum Standing: Equatable {
    /// The next one.
    case current
    /// Used a moment ago: its successor is given once more.
    case repeated
    /// Used before, so somebody else may have it.
    case reused
    /// Not given yet.
    case unknown
  }

  /// Of the token that is good now.
  var number: Int64
  /// When the ones before it were used, the last first, in Unix milliseconds: those that may come again.
  var uses: [Int64]

  static let first = RefreshState(number: 0, uses: [])

  /// The uses as they are kept: a JSON array.
  var usesText: String { "[\(uses.map(String.init).joined(separator: ","))]" }

  func standing(of number: Int64, at now: Timestamp) -> Standing {
    guard number < self.number else { return number == self.number ? .current : .unknown }
    let place = self.number - 1 - number
    guard place < Int64(uses.count),
      now.unixMilliseconds <= uses[Int(place)] + RefreshToken.grace
    else { return .reused }
    return .repeated
  }

  /// When the token that is good now is used.
  func next(at now: Timestamp) -> RefreshState {
    let edge = now.unixMilliseconds - RefreshToken.grace
    return RefreshState(
      number: number + 1, uses: [now.unixMilliseconds] + uses.prefix { $0 >= edge })
  }
}
