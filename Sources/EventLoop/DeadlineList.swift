/// The links and the deadline of one member of a ``DeadlineList``, embedded in the member's memory.
///
/// A fresh node (all zero) is in no list. It must be removed before its memory goes.
@frozen
public struct DeadlineNode {
  @usableFromInline var previous: UnsafeMutablePointer<DeadlineNode>?
  @usableFromInline var next: UnsafeMutablePointer<DeadlineNode>?
  /// Milliseconds on the list's clock; 0 when in no list. The list's alone to change.
  public internal(set) var deadline: UInt64

  /// A node in no list. Its memory must not move while it is in one.
  public init() {
    previous = nil
    next = nil
    deadline = 0
  }

  /// Whether the node is in a list.
  @inlinable
  public var isListed: Bool { deadline != 0 }
}

/// Members that all have the same time to live, in the order in which it ends.
///
/// Because the duration is one constant, a member that is inserted or refreshed belongs at the end:
/// every operation is O(1) and allocates nothing. One list per kind of limit (header, idle, write),
/// swept from ``EventLoop/addTickerHook(_:_:)``. It reads no clock: it is told the time.
///
///     while let node = idle.popExpired(now: loop.now) { … }
///
/// The list stores pointers into its members, so it may be moved but not copied; [loop-thread].
public struct DeadlineList: ~Copyable {
  /// Milliseconds from insertion or refresh to expiry.
  public let duration: UInt64
  /// Members now in the list.
  public private(set) var count = 0

  private var first: UnsafeMutablePointer<DeadlineNode>?
  private var last: UnsafeMutablePointer<DeadlineNode>?

  /// Milliseconds by which a member may expire late, so that one that is refreshed often is seldom moved.
  public let slack: UInt64

  /// - Parameters:
  ///   - duration: milliseconds, at least 1.
  ///   - slack: milliseconds; 0 for a list that is exact.
  public init(duration: UInt64, slack: UInt64 = 0) {
    self.slack = slack
    precondition(duration > 0, "a deadline must lie in the future")
    self.duration = duration
  }

  /// Gives the member its full time, from `now`; the member may be in this list already, or in none.
  @inlinable
  public mutating func refresh(_ node: UnsafeMutablePointer<DeadlineNode>, now: UInt64) {
    if node.pointee.deadline < now + duration { move(node, now) }
  }

  @usableFromInline
  mutating func move(_ node: UnsafeMutablePointer<DeadlineNode>, _ now: UInt64) {
    remove(node)
    node.pointee.deadline = now + duration + slack
    node.pointee.previous = last
    node.pointee.next = nil
    if let last { last.pointee.next = node } else { first = node }
    last = node
    count += 1
  }

  /// Takes the member out; nothing happens when it is in no list.
  public mutating func remove(_ node: UnsafeMutablePointer<DeadlineNode>) {
    guard node.pointee.isListed else { return }
    let (previous, next) = (node.pointee.previous, node.pointee.next)
    if let previous { previous.pointee.next = next } else { first = next }
    if let next { next.pointee.previous = previous } else { last = previous }
    node.pointee = DeadlineNode()
    count -= 1
  }

  /// Takes out the member that expired first, if one has: when `now` has reached its deadline.
  ///
  /// Between two calls members may be inserted, refreshed and removed freely.
  public mutating func popExpired(now: UInt64) -> UnsafeMutablePointer<DeadlineNode>? {
    guard let first, first.pointee.deadline <= now else { return nil }
    remove(first)
    return first
  }

  /// When the first member expires; nil when the list is empty.
  public var nextDeadline: UInt64? { first?.pointee.deadline }
}
