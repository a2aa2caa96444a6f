/// When connections end because their tokens do, by the second. A pure value.
struct Deadlines {
  private var tokens: [Int64: Set<UInt64>] = [:]
  /// Not later than the first deadline; nil when there is none.
  private(set) var first: Int64?

  /// - Parameter second: Unix seconds.
  mutating func insert(_ token: UInt64, at second: Int64) {
    tokens[second, default: []].insert(token)
    first = min(first ?? second, second)
  }

  mutating func remove(_ token: UInt64, at second: Int64) {
    tokens[second]?.remove(token)
    if tokens[second]?.isEmpty == true { tokens[second] = nil }
    if tokens.isEmpty { first = nil }
  }

  /// Takes out whose deadline is `now` or earlier.
  mutating func due(_ now: Int64) -> [UInt64] {
    guard let first, first <= now else { return [] }
    let seconds = tokens.keys.filter { $0 <= now }.sorted()
    let due = seconds.flatMap { tokens.removeValue(forKey: $0)?.sorted() ?? [] }
    self.first = tokens.keys.min()
    return due
  }
}
