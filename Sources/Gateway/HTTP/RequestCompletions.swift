internal import CSluice
internal import EventLoop

// The calls by which a route's plugin waits for the peer: for a piece of the body, or for room in the answer.
extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Ends such a call, with the watchdog looking on.
  func end(
    _ call: Completion, _ function: StaticString, _ status: Int32,
    _ result: sluice_slice_t = .absent
  ) {
    let plugin = Int(facts.pointee.plugin)
    let mark = loop.pointee.mark
    mark.pointee.enter(
      pointee.generation.unsafelyUnwrapped._withUnsafeGuaranteedRef { $0.instanceWords[plugin] },
      function)
    call.function(call.context, status, result)
    mark.pointee.leave()
  }

  /// Ends the calls that still wait because the peer is gone.
  func cancelCalls() {
    guard pointee.flags.contains(.hasWaited) else { return }
    let pull = pointee.pull
    let resume = pointee.stream.resume ?? pointee.passage?.pointee.held?.resume
    pointee.pull = nil
    pointee.stream.resume = nil
    if let pull { end(pull, "read completion", SLUICE_E_CANCELLED) }
    if let resume { end(resume, "write completion", SLUICE_E_CANCELLED) }
  }

  /// Ends the calls that still wait though the request has been answered: later, because the plugin may be the one that
  /// answers it. What was written has been taken; what was to be read will not come.
  func endCallsLater() {
    guard let generation = pointee.generation else { return }
    let loop = GatewayLoop(state: loop)
    let plugin = Int(facts.pointee.plugin)
    func later(_ call: Completion, _ function: StaticString, _ status: Int32) {
      generation._withUnsafeGuaranteedRef { $0.enter() }
      let left = LeftCall(
        call: call, function: function, status: status, generation: generation, plugin: plugin)
      loop.eventLoop.post { left.end(on: loop) }
    }
    if let pull = pointee.pull { later(pull, "read completion", SLUICE_E_CANCELLED) }
    if let resume = pointee.stream.resume { later(resume, "write completion", SLUICE_OK) }
    pointee.pull = nil
    pointee.stream.resume = nil
  }
}

/// A call of a plugin's that outlives its request by a moment.
///
/// `@unchecked Sendable`: made and ended on the loop's thread. The generation is kept alive by the count of its users.
private struct LeftCall: @unchecked Sendable {
  let call: Completion
  let function: StaticString
  let status: Int32
  let generation: Unmanaged<Generation>
  let plugin: Int

  func end(on loop: GatewayLoop) {
    generation._withUnsafeGuaranteedRef { generation in
      loop.mark.pointee.enter(generation.instanceWords[plugin], function)
      call.function(call.context, status, .absent)
      loop.mark.pointee.leave()
    }
    generation._withUnsafeGuaranteedRef { $0.leave() }
  }
}
