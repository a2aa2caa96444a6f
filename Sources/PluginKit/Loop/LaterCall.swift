internal import CSluice

/// A call that is to come later on the shard's loop. Owned by the host between the post and the call.
private final class LaterCall {
  let executor: LoopExecutor
  let action: () -> Void

  init(_ executor: LoopExecutor, _ action: @escaping () -> Void) {
    self.executor = executor
    self.action = action
  }
}

private func calledLater(_ call: UInt64, _ status: sluice_status_t, _: sluice_slice_t) {
  guard let call = Unmanaged<LaterCall>.from(context: call)?.takeRetainedValue(), status >= 0
  else { return }
  call.executor.enter()
  call.action()
  call.executor.leave()
}

extension ShardContext {
  /// Calls `action` on the shard's loop behind what the loop has to do already: for what is done once for many calls that
  /// come together. It is not called when the shard closes first. Loop thread only.
  ///
  /// - Throws: `ExtensionUnavailable` without `sluice.loop/1`; `HostError` when too much waits to be called.
  public func later(_ action: @escaping () -> Void) throws {
    let (loop, host) = try link.require("sluice.loop/1", sluice_loop_v1_t.self)
    let call = Unmanaged.passRetained(LaterCall(executor, action))
    let number = UInt64(UInt(bitPattern: call.toOpaque()))
    let status = loop.pointee.post(host, calledLater, number)
    guard status >= 0 else {
      call.release()
      throw HostError(Status(rawValue: status), "The loop takes no more calls.")
    }
  }
}
