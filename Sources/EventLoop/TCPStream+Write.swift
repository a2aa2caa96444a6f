public import CUV
internal import Glibc

/// What became of the bytes of a write.
@frozen
public enum WriteOutcome: Equatable, Sendable {
  /// All are with the kernel.
  case written
  /// Some wait for the peer: `onDrained` says when they are with the kernel. See ``TCPStream/queuedBytes``.
  case queued
  /// The connection is broken or closing, with this negative error code; the caller should close the stream.
  case failed(Int32)
}

extension TCPStream {
  /// Hands the kernel as much as it takes at once, and queues nothing.
  ///
  /// - Returns: bytes taken, 0 when the peer must read first (or writes are queued already), or a
  ///   negative error code.
  @inline(__always)
  public func tryWrite(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return 0 }
    guard !isEnding else { return Int(UV_ECANCELED.rawValue) }
    if let outbound = state.pointee.outbound, !outbound.pointee.isEmpty { return 0 }
    // As uv_try_write would with nothing queued, in a fifth of its instructions.
    while true {
      let written = send(state.pointee.descriptor, base, bytes.count, Int32(MSG_NOSIGNAL))
      if written >= 0 { return written }
      switch errno {
      case EINTR: continue
      case EAGAIN, ENOBUFS: return 0
      case let code: return -Int(code)
      }
    }
  }

  /// As ``tryWrite(_:)`` for bytes that lie in several places.
  ///
  /// - Parameter parts: at most 32 of them in one call; what comes after is not looked at.
  public func tryWrite(gathering parts: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Int {
    withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: Outbound.gatherLimit) { buffers in
      var count = 0
      for part in parts.prefix(Outbound.gatherLimit) where part.count > 0 {
        let memory = UnsafeMutableRawPointer(mutating: part.baseAddress.unsafelyUnwrapped)
        buffers[count] = uv_buf_t(base: memory.assumingMemoryBound(to: CChar.self), len: part.count)
        count += 1
      }
      guard count > 0 else { return 0 }
      return tryWrite(buffers.baseAddress.unsafelyUnwrapped, count: count)
    }
  }

  /// Writes bytes, copying only what the kernel does not take at once.
  @inline(__always)
  public func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
    let written = tryWrite(bytes)
    if written == bytes.count { return .written }
    return writeRest(of: bytes, after: written)
  }

  @inline(never)
  private func writeRest(of bytes: UnsafeRawBufferPointer, after written: Int) -> WriteOutcome {
    if written < 0 { return .failed(Int32(written)) }
    queue.pointee.append(copying: UnsafeRawBufferPointer(rebasing: bytes[written...]))
    return startWriting()
  }

  /// Writes a chunk from `offset` on, queueing a share of it instead of a copy: for fan-out.
  public func write(shared chunk: SharedChunk, from offset: Int = 0) -> WriteOutcome {
    let bytes = UnsafeRawBufferPointer(rebasing: chunk.bytes[offset...])
    let written = tryWrite(bytes)
    if written == bytes.count { return .written }
    if written < 0 { return .failed(Int32(written)) }
    queue.pointee.append(chunk, from: offset + written)
    return startWriting()
  }

  /// Writes all that the buffer holds, and empties it whatever the outcome.
  @discardableResult
  public func flush(_ output: OutputBuffer) -> WriteOutcome {
    let outcome = write(UnsafeRawBufferPointer(output.bytes))
    output.removeAll()
    return outcome
  }

  /// Bytes accepted by `write` that the kernel has not taken yet: the measure of a slow peer.
  public var queuedBytes: Int {
    guard let outbound = state.pointee.outbound else { return 0 }
    return outbound.pointee.waitingBytes + uv_stream_get_write_queue_size(uv)
  }

  /// Bytes that have been written and that the peer's machine has not acknowledged: ``queuedBytes``, and what the kernel
  /// holds. It alone tells a peer that reads slowly from one that does not read, because the kernel takes more only when a
  /// third of its buffer is free. A call to the kernel. [loop-thread]
  public var undeliveredBytes: Int {
    var held: Int32 = 0
    let descriptor = descriptor
    guard descriptor >= 0, ioctl(descriptor, UInt(TIOCOUTQ), &held) == 0 else { return queuedBytes }
    return queuedBytes + Int(held)
  }

  // MARK: - Inside the room

  private func tryWrite(_ buffers: UnsafeMutablePointer<uv_buf_t>, count: Int) -> Int {
    guard !isEnding else { return Int(UV_ECANCELED.rawValue) }
    let written = Int(uv_try_write(uv, buffers, UInt32(count)))
    return written == Int(UV_EAGAIN.rawValue) ? 0 : written
  }

  private var isEnding: Bool { !state.pointee.flags.isDisjoint(with: [.isClosing, .isFinishing]) }

  /// The stream's queue, made if there is none.
  var queue: UnsafeMutablePointer<Outbound> {
    if let outbound = state.pointee.outbound { return outbound }
    let outbound = UnsafeMutablePointer<Outbound>.allocate(capacity: 1)
    outbound.initialize(to: Outbound(stream: self))
    state.pointee.outbound = outbound
    return outbound
  }

  private func startWriting() -> WriteOutcome {
    let status = writeNext()
    return status == 0 ? .queued : .failed(status)
  }

  /// Gives libuv the next request unless it is busy with one; 0 or a negative error code.
  private func writeNext() -> Int32 {
    guard let outbound = state.pointee.outbound, outbound.pointee.inFlight == 0 else { return 0 }
    return withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: Outbound.gatherLimit) {
      buffers in
      let base = buffers.baseAddress.unsafelyUnwrapped
      let count = outbound.pointee.gather(into: base)
      guard count > 0 else { return 0 }
      let status = uv_write(outbound.writeRequest, uv, base, UInt32(count), streamHasWritten)
      if status != 0 { outbound.pointee.releaseAll() }
      return status
    }
  }

  fileprivate func written(_ status: Int32) {
    // A stream that is closing frees its queue when it is closed.
    guard !isClosing, let outbound = state.pointee.outbound else { return }
    outbound.pointee.releaseInFlight()
    guard status == 0 else { return failed(status) }
    let nextStatus = writeNext()
    guard nextStatus == 0 else { return failed(nextStatus) }
    guard outbound.pointee.isEmpty else { return }
    if state.pointee.flags.contains(.isFinishing) { return shutDown() }
    freeQueue()
    state.pointee.callbacks.pointee.onDrained(self)
  }

  func freeQueue() {
    guard let outbound = state.pointee.outbound else { return }
    outbound.pointee.releaseAll()
    outbound.deinitialize(count: 1)
    outbound.deallocate()
    state.pointee.outbound = nil
  }
}

private func streamHasWritten(_ request: UnsafeMutablePointer<uv_write_t>?, _ status: Int32) {
  let handle = request.unsafelyUnwrapped.pointee.handle.unsafelyUnwrapped
  let stream = TCPStream(storage: UnsafeMutableRawPointer(handle))
  stream.core.pointee.enter()
  stream.written(status)
}
