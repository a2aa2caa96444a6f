public import CUV

extension TCPStream {
  /// Starts calls to `onRead`; nothing happens when they are on, or when the peer has ended. Idempotent.
  @inlinable @inline(__always)
  public func startReading() {
    // One mask of all that speaks against it.
    let against = StreamFlags(rawValue: 1 | 2 | 4 | 16)
    if state.pointee.flags.isDisjoint(with: against) { beginReading() }
  }

  /// Stops calls to `onRead` and lets the kernel's buffer slow the peer down. Idempotent.
  ///
  /// While reading is stopped, the end of the peer goes unseen too.
  public func stopReading() {
    guard state.pointee.flags.contains(.isReading), !state.pointee.flags.contains(.isFinishing)
    else { return }
    state.pointee.flags.remove(.isReading)
    uv_read_stop(uv)
  }

  /// Whether `onRead` may be called.
  public var isReading: Bool {
    state.pointee.flags.contains(.isReading) && !state.pointee.flags.contains(.isFinishing)
  }

  /// Whether the peer has said that it will send no more.
  public var hasEnded: Bool { state.pointee.flags.contains(.hasEnded) }

  @usableFromInline
  func beginReading() {
    state.pointee.flags.insert(.isReading)
    uv_read_start(uv, streamNeedsBuffer, streamHasRead)
  }

  fileprivate func ended() {
    state.pointee.flags.insert(.hasEnded)
    state.pointee.flags.remove(.isReading)
    let flags = state.pointee.flags
    guard flags.contains(.isFinishing) else { return state.pointee.callbacks.pointee.onEOF(self) }
    if flags.contains(.isShutDown) { close() }
  }

  func failed(_ code: Int32) {
    if !isClosing, !state.pointee.flags.contains(.isFinishing) {
      state.pointee.callbacks.pointee.onError(self, code)
    }
    close()
  }
}

private func streamNeedsBuffer(
  _ handle: UnsafeMutablePointer<uv_handle_t>?, _: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
  let core = loopCore(of: handle.unsafelyUnwrapped.pointee.data)
  buffer.unsafelyUnwrapped.pointee = uv_buf_t(
    base: core.pointee.readBuffer, len: LoopCore.readCapacity)
}

private func streamHasRead(
  _ handle: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?
) {
  let stream = TCPStream(storage: UnsafeMutableRawPointer(handle.unsafelyUnwrapped))
  stream.core.pointee.enter()
  if count > 0 {
    // A stream that is finishing reads only so that its last answer is not lost to a reset.
    guard !stream.state.pointee.flags.contains(.isFinishing) else { return }
    let bytes = UnsafeMutableRawPointer(buffer.unsafelyUnwrapped.pointee.base.unsafelyUnwrapped)
    stream.state.pointee.callbacks.pointee.onRead(stream, bytes, count)
  } else if count == Int(UV_EOF.rawValue) {
    stream.ended()
  } else if count < 0 {
    stream.state.pointee.flags.remove(.isReading)
    stream.failed(Int32(count))
  }
}
