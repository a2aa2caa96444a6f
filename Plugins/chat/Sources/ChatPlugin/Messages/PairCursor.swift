internal import PluginKit

/// Where a list that is ordered by two texts goes on. Both may have any character, so they are written as the numbers of their bytes.
struct PairCursor: Equatable {
  let first: String
  let second: String

  static let isNone = Problem.invalid(
    pointer: "/query/after", "after is what \"next\" of the page before said.")

  init(_ first: String, _ second: String) {
    self.first = first
    self.second = second
  }

  /// - Throws: `Problem` 400 when it is not what `next` said.
  init(_ text: String) throws {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = Self.decoded(parts[0]),
      let second = Self.decoded(parts[1])
    else { throw Self.isNone }
    self.init(first, second)
  }

  /// As `next`.
  var text: String { "\(Self.encoded(first))-\(Self.encoded(second))" }

  private static func encoded(_ text: String) -> String {
    text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func decoded(_ text: Substring) -> String? {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
    let bytes = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
