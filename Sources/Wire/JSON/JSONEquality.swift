/// Comparing values by what they mean: numbers by value, strings with escapes undone, objects
/// without order (JSON Schema Core §4.2.2).
struct JSONComparison {
  let nodes: UnsafePointer<JSONNode>
  let base: UnsafeRawPointer
  let otherNodes: UnsafePointer<JSONNode>
  let otherBase: UnsafeRawPointer

  func areEqual(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (nodes[a], otherNodes[b])
    guard x.kind == y.kind else { return false }
    switch x.kind {
    case .null: return true
    case .bool: return base.byte(Int(x.start)) == otherBase.byte(Int(y.start))
    case .number: return JSONNumber(bytes(x, base)) == JSONNumber(bytes(y, otherBase))
    case .string: return JSONKeys.areEqual(x, base, y, otherBase)
    case .array: return areEqualArrays(a, b)
    case .object: return areEqualObjects(a, b)
    }
  }

  private func areEqualArrays(_ a: Int, _ b: Int) -> Bool {
    guard nodes[a].count == otherNodes[b].count else { return false }
    let (endA, endB) = (Int(nodes[a].next), Int(otherNodes[b].next))
    var (i, j) = (a + 1, b + 1)
    while i < endA, j < endB {
      guard areEqual(i, j) else { return false }
      (i, j) = (Int(nodes[i].next), Int(otherNodes[j].next))
    }
    return i == endA && j == endB
  }

  private func areEqualObjects(_ a: Int, _ b: Int) -> Bool {
    guard nodes[a].count == otherNodes[b].count else { return false }
    let mine = JSONKeys.sortedKeys(of: a, nodes, base)
    let others = JSONKeys.sortedKeys(of: b, otherNodes, otherBase)
    guard mine.count == others.count else { return false }
    for (i, j) in zip(mine, others) {
      guard JSONKeys.areEqual(nodes[i], base, otherNodes[j], otherBase), areEqual(i + 1, j + 1)
      else { return false }
    }
    return true
  }

  private func bytes(_ node: JSONNode, _ base: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + Int(node.start), count: Int(node.end - node.start))
  }

  /// A hash that equal values share, by the process's random key, so that values cannot be chosen to
  /// collide.
  static func hash(
    _ index: Int, _ nodes: UnsafePointer<JSONNode>, _ base: UnsafeRawPointer
  ) -> Int {
    let node = nodes[index]
    let end = Int(node.next)
    var hasher = Hasher()
    hasher.combine(node.kind)
    switch node.kind {
    case .null: break
    case .bool: hasher.combine(base.byte(Int(node.start)))
    case .number:
      let bytes = UnsafeRawBufferPointer(
        start: base + Int(node.start), count: Int(node.end - node.start))
      hasher.combine(JSONNumber(bytes))
    case .string:
      var bytes = JSONStringBytes(node, base)
      while let byte = bytes.next() { hasher.combine(byte) }
    case .array:
      var child = index + 1
      while child < end {
        hasher.combine(hash(child, nodes, base))
        child = Int(nodes[child].next)
      }
    case .object:
      var sum = 0
      var key = index + 1
      while key < end {
        var member = Hasher()
        member.combine(hash(key, nodes, base))
        member.combine(hash(key + 1, nodes, base))
        sum &+= member.finalize()
        key = Int(nodes[key + 1].next)
      }
      hasher.combine(sum)
    }
    return hasher.finalize()
  }
}
