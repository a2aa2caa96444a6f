/// A synchronous handler of requests, behind a reference that is never counted.
final class SynchronousRoute {
  let call: (AnyObject, Request) throws -> Response

  init(_ call: @escaping (AnyObject, Request) throws -> Response) { self.call = call }
}

/// What hears the messages of a socket, behind a reference that is never counted.
final class SocketListener {
  let message: (AnyObject, Connection, Message) -> Void

  init(_ message: @escaping (AnyObject, Connection, Message) -> Void) { self.message = message }
}

/// The handlers of one plugin as they are called: by number, out of memory that never moves.
///
/// Immutable from the moment it is made, and never freed: a plugin's image stays until the process ends.
final class HandlerTable: @unchecked Sendable {
  // Written by `init` on the control thread before any loop sees it; the handlers are called on the
  // loop of the shard that is their argument.
  let plan: HandlerPlan
  let routes: UnsafePointer<HandlerPlan.Route>
  /// By the same numbers: those that are synchronous.
  let synchronousRoutes: UnsafePointer<Unmanaged<SynchronousRoute>?>
  let routeCount: UInt32
  let sockets: UnsafePointer<SocketHandler>
  /// By the same numbers.
  let listeners: UnsafePointer<Unmanaged<SocketListener>>
  let socketCount: UInt32
  let phases: UnsafePointer<HandlerPlan.PhasePart>
  let phaseCount: UInt32

  init(_ plan: HandlerPlan) {
    self.plan = plan
    let routes = UnsafeMutablePointer<HandlerPlan.Route>.allocate(
      capacity: max(1, plan.routes.count))
    _ = UnsafeMutableBufferPointer(start: routes, count: plan.routes.count)
      .initialize(fromContentsOf: plan.routes)
    self.routes = UnsafePointer(routes)
    let synchronous = UnsafeMutablePointer<Unmanaged<SynchronousRoute>?>.allocate(
      capacity: max(1, plan.routes.count))
    for (index, route) in plan.routes.enumerated() {
      (synchronous + index).initialize(
        to: route.synchronous.map { .passRetained(SynchronousRoute($0)) })
    }
    synchronousRoutes = UnsafePointer(synchronous)
    routeCount = UInt32(plan.routes.count)
    let sockets = UnsafeMutablePointer<SocketHandler>.allocate(
      capacity: max(1, plan.sockets.count))
    _ = UnsafeMutableBufferPointer(start: sockets, count: plan.sockets.count)
      .initialize(fromContentsOf: plan.sockets)
    self.sockets = UnsafePointer(sockets)
    let listeners = UnsafeMutablePointer<Unmanaged<SocketListener>>.allocate(
      capacity: max(1, plan.sockets.count))
    for (index, socket) in plan.sockets.enumerated() {
      (listeners + index).initialize(to: .passRetained(SocketListener(socket.message)))
    }
    self.listeners = UnsafePointer(listeners)
    socketCount = UInt32(plan.sockets.count)
    let phases = UnsafeMutablePointer<HandlerPlan.PhasePart>.allocate(
      capacity: max(1, plan.phases.count))
    _ = UnsafeMutableBufferPointer(start: phases, count: plan.phases.count)
      .initialize(fromContentsOf: plan.phases)
    self.phases = UnsafePointer(phases)
    phaseCount = UInt32(plan.phases.count)
  }
}
