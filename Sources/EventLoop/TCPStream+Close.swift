public import CUV
internal import Glibc

extension TCPStream {
  /// Whether the stream is closed or about to be.
  @inlinable
  public var isClosing: Bool { state.pointee.flags.contains(.isClosing) }

  /// Closes the stream at once and drops what is queued; `onClosed` follows at the end of the tick. Idempotent.
  public func close() {
    guard !isClosing else { return }
    leaveLingering()
    state.pointee.flags.insert(.isClosing)
    uv_close(handle, streamHasClosed)
  }

  /// Closes the stream at once with a reset instead of a FIN, which leaves no state in the kernel. Idempotent.
  ///
  /// For peers that are not to be trusted with more of our memory.
  public func reset() {
    guard !isClosing else { return }
    leaveLingering()
    state.pointee.flags.insert(.isClosing)
    // libuv refuses once a FIN is on its way.
    if uv_tcp_close_reset(tcp, streamHasClosed) != 0 {
      uv_close(handle, streamHasClosed)
    }
  }

  /// Writes what is queued, sends a FIN, waits for the peer's, then closes. Idempotent.
  ///
  /// What the peer still sends is read and thrown away, because closing a socket with unread bytes sends a reset,
  /// which can destroy our last answer on its way (RFC 9112 §9.6). Five seconds without progress, or after
  /// the FIN, end it. From here on `onClosed` is the only callback, and writes fail.
  public func shutdownThenClose() {
    guard !isClosing, !state.pointee.flags.contains(.isFinishing) else { return }
    state.pointee.flags.insert(.isFinishing)
    let outbound = queue
    outbound.pointee.lastSeenBytes = undeliveredBytes
    core.pointee.lingering.refresh(outbound.deadline, now: uv_now(core.pointee.uv))
    let flags = state.pointee.flags
    if flags.isDisjoint(with: [.isReading, .hasEnded]) { beginReading() }
    if outbound.pointee.isEmpty { shutDown() }
  }

  /// Sends the FIN, with nothing left to write.
  func shutDown() {
    let outbound = queue
    core.pointee.lingering.refresh(outbound.deadline, now: uv_now(core.pointee.uv))
    let status = uv_shutdown(outbound.shutdownRequest, uv) { request, status in
      let handle = request.unsafelyUnwrapped.pointee.handle.unsafelyUnwrapped
      TCPStream(storage: UnsafeMutableRawPointer(handle)).hasShutDown(status)
    }
    if status != 0 { close() }
  }

  private func hasShutDown(_ status: Int32) {
    guard !isClosing else { return }
    state.pointee.flags.insert(.isShutDown)
    if status != 0 || state.pointee.flags.contains(.hasEnded) { close() }
  }

  private func leaveLingering() {
    guard let outbound = state.pointee.outbound else { return }
    core.pointee.lingering.remove(outbound.deadline)
  }

  fileprivate func hasClosed() {
    let core = core
    freeQueue()
    core.pointee.openStreams -= 1
    state.pointee.callbacks.pointee.onClosed(self)
    free(storage)
  }
}

private func streamHasClosed(_ handle: UnsafeMutablePointer<uv_handle_t>?) {
  TCPStream(storage: UnsafeMutableRawPointer(handle.unsafelyUnwrapped)).hasClosed()
}

/// Closes the finishing streams whose peers make no progress; the rest get more time.
func closeLingeringStreams(_ core: CorePointer) {
  let now = uv_now(core.pointee.uv)
  while let node = core.pointee.lingering.popExpired(now: now) {
    let outbound = UnsafeMutableRawPointer(node).assumingMemoryBound(to: Outbound.self)
    let stream = outbound.pointee.stream
    let left = stream.undeliveredBytes
    if left > 0, left < outbound.pointee.lastSeenBytes {
      outbound.pointee.lastSeenBytes = left
      core.pointee.lingering.refresh(node, now: now)
    } else {
      stream.close()
    }
  }
}
