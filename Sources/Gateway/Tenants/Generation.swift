/// One loop's shards of one tenant's set of plugins, as long as that set and its settings stand.
///
/// A change builds a new generation beside this one; this one then drains. Confined to its loop.
public final class Generation {
  /// Shared by all tenants with the same set of plugins; immutable.
  public let routes: RouteTable
  /// The plugins' shards by their position in the set, as their `open` gave them.
  let shards: UnsafeMutablePointer<UInt64>
  let pluginIDs: [String]
  /// What the owner calls the plugins' instances, for ``CallMark``.
  let instanceWords: UnsafeMutablePointer<UInt>
  /// Whose it is, from its opening on: its sockets count for the tenant also when it has been replaced.
  @exclusivity(unchecked) var tenant: Tenant?
  /// What the owner of the generation keeps with it.
  public let context: AnyObject
  /// Requests and sockets that use it.
  var users = 0
  var isRetired = false
  /// The newest of its sockets; they form a list.
  var firstSocket: SocketPointer?
  let retired: (Generation) -> Void

  /// Makes a generation whose shards are opened next, each told to ``opened(_:at:)``.
  ///
  /// - Parameters:
  ///   - pluginIDs: the plugins of the set, in its order.
  ///   - instances: the owner's words for their instances.
  ///   - retired: called once on the loop's thread when the generation is retired and unused.
  public init(
    routes: RouteTable, pluginIDs: [String], instances: [UInt], context: AnyObject,
    retired: @escaping (Generation) -> Void
  ) {
    self.routes = routes
    self.pluginIDs = pluginIDs
    self.context = context
    self.retired = retired
    precondition(instances.count == pluginIDs.count)
    instanceWords = .allocate(capacity: max(instances.count, 1))
    instanceWords.initialize(from: instances, count: instances.count)
    shards = .allocate(capacity: max(pluginIDs.count, 1))
    shards.initialize(repeating: 0, count: max(pluginIDs.count, 1))
  }

  /// A plugin's shard is open; `value` is its own word for it.
  public func opened(_ value: UInt64, at position: Int) { shards[position] = value }

  deinit {
    shards.deallocate()
    instanceWords.deallocate()
  }

  @inline(__always)
  func enter() { users += 1 }

  @inline(__always)
  func leave() {
    users -= 1
    if users == 0, isRetired { end() }
  }

  /// No new work comes; ends at once when nothing uses it.
  func retire() {
    guard !isRetired else { return }
    isRetired = true
    // Its tenant lets go of it now, and its users hold no reference.
    _ = Unmanaged.passRetained(self)
    if users == 0 { end() }
  }

  @inline(never)
  private func end() {
    retired(self)
    Unmanaged.passUnretained(self).release()
  }
}
