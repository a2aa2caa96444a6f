/// An order in which everything comes after what it needs; ties go by name, so the same graph gives the same order.
struct TopologicalOrder {
  /// For each name, the names that come before it and the reason.
  private var predecessors: [String: [String: String]] = [:]

  /// Names that need each other: the first one again at the end.
  struct Cycle: Error, CustomStringConvertible {
    let path: [String]

    /// `a → b → a`
    var description: String { path.joined(separator: " → ") }
  }

  init(of names: [String]) {
    for name in names { predecessors[name] = [:] }
  }

  /// Demands that `first` comes before `second`. Names that are not in the graph are passed over; of several
  /// reasons the first one is kept.
  mutating func place(_ first: String, before second: String, because reason: String) {
    guard predecessors[first] != nil, predecessors[second] != nil else { return }
    if predecessors[second]?[first] == nil { predecessors[second]?[first] = reason }
  }

  /// Why `name` stands where it does: what it comes after, in the order of the names.
  func reasons(for name: String) -> [(before: String, reason: String)] {
    (predecessors[name] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// All names in order.
  func sorted() throws(Cycle) -> [String] {
    var waiting = predecessors.mapValues { Set($0.keys) }
    var order: [String] = []
    while !waiting.isEmpty {
      guard let next = waiting.filter({ $0.value.isEmpty }).keys.min() else {
        throw cycle(in: waiting)
      }
      order.append(next)
      waiting[next] = nil
      for name in waiting.keys { waiting[name]?.remove(next) }
    }
    return order
  }

  /// A cycle among names of which each waits for another one. It is told in the direction of the need: `a → b`
  /// when a comes after b.
  private func cycle(in waiting: [String: Set<String>]) -> Cycle {
    var path: [String] = []
    var current = waiting.keys.min() ?? ""
    while !path.contains(current) {
      path.append(current)
      current = waiting[current]?.min() ?? ""
    }
    let ring = Array(path.drop { $0 != current })
    let start = ring.enumerated().min { $0.element < $1.element }?.offset ?? 0
    let turned = Array(ring[start...] + ring[..<start])
    return Cycle(path: turned + [turned[0]])
  }
}
