internal import Glibc
public import Wire

/// The routes of one set of plugins: an immutable tree of path segments.
///
/// Tables are shared by all tenants that have the same set of plugins, and by all loops. Matching allocates
/// nothing: nodes live in one piece of memory and name their children by position.
public final class RouteTable: @unchecked Sendable {
  // @unchecked: everything is written in `init` and only read afterwards, on any thread.

  /// The most `{…}` that a pattern may have.
  public static let parameterLimit = 8

  /// The routes, in the order in which they were given.
  public let routes: [Route]

  /// What the hot path asks of each route, without a reference in it.
  let facts: UnsafeMutablePointer<RouteFacts>

  private let nodes: UnsafeMutablePointer<Node>
  private let children: UnsafeMutablePointer<Child>
  private let text: UnsafeMutableRawPointer
  private let statics: StaticPaths

  /// What a path and a method lead to.
  public enum Match: Equatable {
    case route(Int)
    case notFound
    /// The path is known, but not with this method. One bit per `HTTPMethod.rawValue`.
    case methodNotAllowed(UInt16)
  }

  struct Node {
    var firstChild: Int32 = 0
    var childCount: Int32 = 0
    var parameterChild: Int32 = -1
    /// Route by method's raw value; -1 is none.
    var routes = InlineArray<8, Int32>(repeating: -1)
    var methods: UInt16 = 0
  }

  struct Child {
    var textOffset: Int32
    var length: Int32
    var node: Int32
  }

  /// Builds the table.
  ///
  /// - Throws: ``RouteConflict`` when two routes claim one method and path shape.
  public convenience init(_ routes: [(patterns: [String], route: Route)]) throws(RouteConflict) {
    var tree = RouteTree()
    for (index, entry) in routes.enumerated() {
      for pattern in entry.patterns {
        if let other = tree.insert(pattern, entry.route.method, Int32(index)) {
          throw RouteConflict(
            pattern: pattern, method: entry.route.method, first: Int(other), second: index)
        }
      }
    }
    self.init(routes, tree)
  }

  /// Builds a table of routes that are not of one set: the first of those that claim one method and path shape stands.
  convenience init(overlapping routes: [(patterns: [String], route: Route)]) {
    var tree = RouteTree()
    for (index, entry) in routes.enumerated() {
      for pattern in entry.patterns { _ = tree.insert(pattern, entry.route.method, Int32(index)) }
    }
    self.init(routes, tree)
  }

  private init(_ routes: [(patterns: [String], route: Route)], _ tree: RouteTree) {
    self.routes = routes.map(\.route)
    facts = .allocate(capacity: max(routes.count, 1))
    for (index, entry) in routes.enumerated() {
      (facts + index).initialize(to: RouteFacts(entry.route))
    }
    let flat = tree.flattened()
    statics = StaticPaths(flat.statics)
    nodes = .allocate(capacity: flat.nodes.count)
    nodes.initialize(from: flat.nodes, count: flat.nodes.count)
    children = .allocate(capacity: max(flat.children.count, 1))
    children.initialize(from: flat.children, count: flat.children.count)
    text = .allocate(byteCount: max(flat.text.count, 1), alignment: 1)
    text.copyMemory(from: flat.text, byteCount: flat.text.count)
  }

  deinit {
    for index in routes.indices { facts[index].phases?.destroy() }
    facts.deallocate()
    nodes.deallocate()
    children.deallocate()
    text.deallocate()
    statics.deallocate()
  }

  /// Finds the route of a path.
  ///
  /// A literal segment wins over a parameter; a parameter takes one non-empty segment.
  ///
  /// - Parameters:
  ///   - path: the path as sent, from its first `/`, without the query.
  ///   - parameters: room for ``parameterLimit`` spans; filled with where each parameter stands in `path`.
  public func match(
    _ method: HTTPMethod, _ path: UnsafeRawBufferPointer,
    parameters: UnsafeMutablePointer<ByteSpan>
  ) -> Match {
    guard let base = path.baseAddress, path.count > 0, base.load(as: UInt8.self) == 0x2F else {
      return .notFound
    }
    // A literal path wins over a pattern with parameters, so this is the answer where there is one; a method that it
    // does not have may still be the pattern's.
    if let node = statics.find(path), case .route(let route) = finish(node, method) {
      return .route(route)
    }
    return find(0, base, 1, path.count, parameters, 0, method)
  }

  private func find(
    _ nodeIndex: Int32, _ base: UnsafeRawPointer, _ start: Int, _ end: Int,
    _ parameters: UnsafeMutablePointer<ByteSpan>, _ depth: Int, _ method: HTTPMethod
  ) -> Match {
    if start > end || (start == end && depth == 0 && nodeIndex == 0) {
      return finish(nodeIndex, method)
    }
    var stop = start
    while stop < end && base.load(fromByteOffset: stop, as: UInt8.self) != 0x2F { stop += 1 }
    let length = stop - start
    let node = nodes + Int(nodeIndex)
    var best = Match.notFound
    let first = Int(node.pointee.firstChild)
    for position in first..<(first + Int(node.pointee.childCount)) {
      let child = children + position
      guard Int(child.pointee.length) == length,
        memcmp(base + start, text + Int(child.pointee.textOffset), length) == 0
      else { continue }
      best = find(child.pointee.node, base, stop + 1, end, parameters, depth, method)
      if case .route = best { return best }
      break
    }
    let parameterChild = node.pointee.parameterChild
    if parameterChild >= 0 && length > 0 && depth < Self.parameterLimit {
      parameters[depth] = ByteSpan(offset: UInt32(start), length: UInt32(length))
      let other = find(parameterChild, base, stop + 1, end, parameters, depth + 1, method)
      switch (best, other) {
      case (_, .route): return other
      case (.methodNotAllowed(let a), .methodNotAllowed(let b)): return .methodNotAllowed(a | b)
      case (.notFound, _): return other
      default: break
      }
    }
    return best
  }

  private func finish(_ nodeIndex: Int32, _ method: HTTPMethod) -> Match {
    let node = nodes + Int(nodeIndex)
    guard node.pointee.methods != 0 else { return .notFound }
    let raw = Int(method.rawValue)
    if raw < 8 {
      let route = node.pointee.routes[raw]
      if route >= 0 { return .route(Int(route)) }
    }
    return .methodNotAllowed(node.pointee.methods)
  }
}

/// Two routes that claim one method and path shape.
public struct RouteConflict: Error, Sendable {
  /// The pattern that was there already in another route.
  public let pattern: String
  /// The method that both claim.
  public let method: HTTPMethod
  /// Positions in the list that was given.
  public let first: Int
  /// The position of the one that came later.
  public let second: Int
}
