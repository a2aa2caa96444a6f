public import CSluice

/// A phase of a request in which plugins may have a part (ext/phases.h). The raw values are the contract's.
public enum RequestPhase: UInt32, Sendable, CaseIterable {
  case authorize = 2
  case limit = 3
  case respond = 5
  case observe = 6
}

/// A plugin's part in a phase.
public struct PhaseStep: @unchecked Sendable {
  // @unchecked: C function pointers of static lifetime, immutable on every thread.
  let run: RequestFunction
  let cancelled: CancelFunction?
  let handler: UInt32
  /// The plugin's place in its tenant's set.
  let plugin: Int32

  /// - Parameters:
  ///   - run: the plugin's function; called on the shard's loop.
  ///   - cancelled: told when a request goes away while the step holds it; nil asks for nothing.
  ///   - handler: the number that the plugin has given its handler.
  ///   - plugin: its place in the tenant's set.
  public init(
    _ run: RequestFunction, cancelled: CancelFunction?, handler: UInt32, plugin: Int
  ) {
    self.run = run
    self.cancelled = cancelled
    self.handler = handler
    self.plugin = Int32(plugin)
  }
}

/// The parts that plugins have in the requests of one route, in flat memory that its table owns.
struct RoutePhases {
  let authorize: UnsafeMutableBufferPointer<PhaseStep>
  let limit: UnsafeMutableBufferPointer<PhaseStep>
  let respond: UnsafeMutableBufferPointer<PhaseStep>
  let observe: UnsafeMutableBufferPointer<PhaseStep>

  subscript(phase: RequestPhase) -> UnsafeMutableBufferPointer<PhaseStep> {
    switch phase {
    case .authorize: authorize
    case .limit: limit
    case .respond: respond
    case .observe: observe
    }
  }

  /// Whether somebody wants to see the answers.
  var seesAnswers: Bool { respond.count + observe.count > 0 }

  /// The parts in their phases; nil when there are none.
  static func allocate(
    _ steps: [RequestPhase: [PhaseStep]]
  ) -> UnsafeMutablePointer<RoutePhases>? {
    guard steps.contains(where: { !$0.value.isEmpty }) else { return nil }
    func flat(_ phase: RequestPhase) -> UnsafeMutableBufferPointer<PhaseStep> {
      let list = steps[phase] ?? []
      let memory = UnsafeMutableBufferPointer<PhaseStep>.allocate(capacity: list.count)
      _ = memory.initialize(fromContentsOf: list)
      return memory
    }
    let phases = UnsafeMutablePointer<RoutePhases>.allocate(capacity: 1)
    phases.initialize(
      to: RoutePhases(
        authorize: flat(.authorize), limit: flat(.limit), respond: flat(.respond),
        observe: flat(.observe)))
    return phases
  }
}

extension UnsafeMutablePointer where Pointee == RoutePhases {
  func destroy() {
    for steps in [pointee.authorize, pointee.limit, pointee.respond, pointee.observe] {
      steps.deallocate()
    }
    deallocate()
  }
}
