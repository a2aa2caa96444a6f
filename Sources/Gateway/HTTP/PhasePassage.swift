internal import CSluice
internal import EventLoop

/// A request's way through the phases in which plugins have a part. Requests of routes without any have none.
struct PhasePassage {
  let phases: UnsafeMutablePointer<RoutePhases>
  /// The position of the step, in the phase that the request is in, which is next or has the request in hand.
  var next = 0
  /// The steps of that phase, and the stage that goes on with them.
  var steps: UnsafeMutableBufferPointer<PhaseStep>
  var stage = RequestStage.limit
  /// An answer that waits until the plugin that gave it has returned.
  var held: HeldAnswer?

  init(_ phases: UnsafeMutablePointer<RoutePhases>) {
    self.phases = phases
    steps = phases.pointee.authorize
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Prepares a request whose route plugins have parts in.
  func beginPassage(_ phases: UnsafeMutablePointer<RoutePhases>) {
    let passage = UnsafeMutablePointer<PhasePassage>.allocate(capacity: 1)
    passage.initialize(to: PhasePassage(phases))
    pointee.passage = passage
  }

  func endPassage(_ passage: UnsafeMutablePointer<PhasePassage>) {
    passage.deinitialize(count: 1)
    passage.deallocate()
    pointee.passage = nil
  }

  // MARK: - authorize, limit

  /// Whether all plugins with a part in a phase have let the request pass. If not, the request has been answered, or
  /// waits for one of them; then the same stage is entered again.
  @inline(__always)
  func passes(_ phase: RequestPhase) -> Bool {
    guard let passage = pointee.passage else { return true }
    return run(passage, passage.pointee.phases.pointee[phase])
  }

  private func run(
    _ passage: UnsafeMutablePointer<PhasePassage>,
    _ steps: UnsafeMutableBufferPointer<PhaseStep>
  ) -> Bool {
    let stage = pointee.stage
    passage.pointee.steps = steps
    passage.pointee.stage = stage
    while passage.pointee.next < steps.count {
      pointee.stage = .inPhase
      let status = call(steps[passage.pointee.next])
      guard pointee.stage == .inPhase else { return false }
      switch status {
      case SLUICE_OK:
        renewToken()
        passage.pointee.next += 1
      case SLUICE_PENDING: return false
      default:
        let (code, detail) = ProblemCode.forStatus(status)
        problem(code, detail)
        return false
      }
    }
    passage.pointee.next = 0
    pointee.stage = stage
    return true
  }

  /// Lets the request pass that waits for a plugin; `instance` names the plugin that says so.
  func proceed(_ instance: UInt) -> Int32 {
    guard pointee.stage == .inPhase, let passage = pointee.passage,
      let generation = pointee.generation,
      generation._withUnsafeGuaranteedRef({
        $0.instanceWords[Int(passage.pointee.steps[passage.pointee.next].plugin)]
      }) == instance
    else { return SLUICE_E_WRONG_STATE }
    passage.pointee.next += 1
    pointee.stage = passage.pointee.stage
    renewToken()
    goOnOutsidePlugins()
    return SLUICE_OK
  }

  /// Tells the plugin that the request waits for of its end. The token is stale for it.
  func tellPhaseOfCancellation() {
    guard pointee.stage == .inPhase, let passage = pointee.passage else { return }
    let token = pointee.token
    renewToken()
    let step = passage.pointee.steps[passage.pointee.next]
    guard let cancelled = step.cancelled else { return }
    enter(step, "cancelled") { cancelled($0, step.handler, token) }
  }

  // MARK: - respond, observe

  /// Lets plugins see the status and add fields, before the head is written.
  func runResponders(_ status: Int) {
    guard let steps = pointee.passage?.pointee.phases.pointee.respond, steps.count > 0 else {
      return
    }
    let loop = loop
    let (stage, token) = (pointee.stage, pointee.token)
    pointee.stage = .responding
    pointee.status = UInt16(status)
    // The route's plugin may go on with the request by its own token, so they get another.
    pointee.token = loop.pointee.tokens.insert(UnsafeMutableRawPointer(self), .request)
    for step in steps { _ = call(step) }
    loop.pointee.tokens.remove(pointee.token)
    (pointee.stage, pointee.token) = (stage, token)
  }

  /// Lets plugins see a request that has ended.
  func runObservers() {
    guard let steps = pointee.passage?.pointee.phases.pointee.observe, steps.count > 0 else {
      return
    }
    renewToken()
    for step in steps { _ = call(step) }
  }

  // MARK: - calls

  /// Calls a plugin's part.
  private func call(_ step: PhaseStep) -> Int32 {
    let token = pointee.token
    return enter(step, "run") { step.run($0, step.handler, token) }
  }

  private func enter<T>(_ step: PhaseStep, _ function: StaticString, _ body: (UInt64) -> T) -> T {
    let mark = loop.pointee.mark
    return pointee.generation.unsafelyUnwrapped._withUnsafeGuaranteedRef { generation in
      let plugin = Int(step.plugin)
      mark.pointee.enter(generation.instanceWords[plugin], function)
      defer { mark.pointee.leave() }
      return body(generation.shards[plugin])
    }
  }

  /// Makes the token that a plugin has stale; the request goes on under another.
  func renewToken() {
    let loop = loop
    loop.pointee.tokens.remove(pointee.token)
    pointee.token = loop.pointee.tokens.insert(UnsafeMutableRawPointer(self), .request)
  }

  /// Goes on with the stage that has been set: when `advance` comes back to it further up the stack, or else later,
  /// because the caller may be a plugin.
  func goOnOutsidePlugins() {
    guard !pointee.flags.contains(.isAdvancing) else { return }
    let loop = loop
    loop.pointee.eventLoop.post(
      { loop, token in
        let loop = UnsafeMutableRawPointer(address: loop).assumingMemoryBound(to: LoopState.self)
        loop.request(token)?.continueLater()
      }, UInt64(address: loop), pointee.token)
  }
}
