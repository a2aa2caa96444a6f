internal import Wire

/// The tree of a ``RouteTable`` while it grows.
struct RouteTree {
  private final class Branch {
    var literals: [(name: [UInt8], branch: Branch)] = []
    var parameter: Branch?
    var routes = [Int32](repeating: -1, count: 8)
  }

  private let root = Branch()

  /// Adds a route; returns the route that has this place already.
  ///
  /// `GET` answers `HEAD` too, unless a route says otherwise.
  mutating func insert(_ pattern: String, _ method: HTTPMethod, _ route: Int32) -> Int32? {
    var branch = root
    if pattern != "/" {
      for segment in pattern.utf8.dropFirst().split(
        separator: 0x2F, omittingEmptySubsequences: false)
      {
        if segment.first == UInt8(ascii: "{") {
          if branch.parameter == nil { branch.parameter = Branch() }
          branch = branch.parameter!
        } else if let known = branch.literals.first(where: { $0.name.elementsEqual(segment) }) {
          branch = known.branch
        } else {
          let fresh = Branch()
          branch.literals.append((Array(segment), fresh))
          branch = fresh
        }
      }
    }
    let slot = Int(method.rawValue)
    precondition(slot < 8, "routes have one of the known methods")
    if branch.routes[slot] >= 0 { return branch.routes[slot] }
    branch.routes[slot] = route
    return nil
  }

  func flattened() -> (
    nodes: [RouteTable.Node], children: [RouteTable.Child], text: [UInt8],
    statics: [(path: [UInt8], node: Int32)]
  ) {
    var nodes: [RouteTable.Node] = []
    var children: [RouteTable.Child] = []
    var text: [UInt8] = []
    var statics: [(path: [UInt8], node: Int32)] = []
    var queue: [(branch: Branch, path: [UInt8]?)] = [(root, [])]
    nodes.append(RouteTable.Node())
    var position = 0
    while position < queue.count {
      let (branch, path) = queue[position]
      var node = RouteTable.Node()
      var routes = branch.routes
      let get = Int(HTTPMethod.get.rawValue)
      let head = Int(HTTPMethod.head.rawValue)
      if routes[head] < 0 { routes[head] = routes[get] }
      for (method, route) in routes.enumerated() where route >= 0 {
        node.routes[method] = route
        node.methods |= 1 << UInt16(method)
      }
      node.firstChild = Int32(children.count)
      node.childCount = Int32(branch.literals.count)
      for literal in branch.literals {
        children.append(
          RouteTable.Child(
            textOffset: Int32(text.count), length: Int32(literal.name.count),
            node: Int32(nodes.count)))
        text += literal.name
        nodes.append(RouteTable.Node())
        queue.append((literal.branch, path.map { $0 + [0x2f] + literal.name }))
      }
      if let parameter = branch.parameter {
        node.parameterChild = Int32(nodes.count)
        nodes.append(RouteTable.Node())
        queue.append((parameter, nil))
      }
      if node.methods != 0, let path {
        statics.append((path.isEmpty ? [0x2f] : path, Int32(position)))
      }
      nodes[position] = node
      position += 1
    }
    return (nodes, children, text, statics)
  }
}
