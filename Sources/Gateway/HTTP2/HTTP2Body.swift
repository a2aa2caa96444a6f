internal import CSluice
internal import EventLoop
internal import HTTP2

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Takes what has come of a body that is buffered whole.
  func receiveBody(from stream: StreamPointer) {
    let before = pointee.bodyCount
    let count = stream.pointee.viewCount
    if count > 0, let view = stream.pointee.view {
      let most = Swift.min(facts.pointee.bodyLimit, loop.pointee.settings.bodyBytes)
      guard pointee.bodyCount + count <= most else { return refuseTooLarge(most) }
      append(view, count)
      stream.consume(count)
      stream.settle()
      if pointee.bodyLeft > 0 { pointee.bodyLeft -= Int64(count) }
    }
    if stream.pointee.flags.contains(.hasEnded) { return bodyIsComplete() }
    if stream.pointee.timeout != .body || hasAdvanced(from: before) { stream.watch(.body) }
  }

  /// Hands what has come of a streamed body to whoever waits for it.
  func feedPull(_ pull: Completion, from stream: StreamPointer) {
    let count = stream.pointee.viewCount
    guard count > 0, let view = stream.pointee.view else {
      guard stream.pointee.flags.contains(.hasEnded) else {
        // A peer that does not take the answer stays under the limit for that.
        if stream.pointee.timeout != .write { stream.watch(.body) }
        return
      }
      pointee.flags.insert(.bodyIsComplete)
      return complete(
        pull, 0, UnsafeRawBufferPointer(start: UnsafeRawPointer(self), count: 0), on: stream)
    }
    pointee.bodyCount += count
    let most = Swift.min(facts.pointee.bodyLimit, loop.pointee.settings.bodyBytes)
    guard pointee.bodyCount <= most else {
      loop.pointee.metrics.add(.bodyBytesBreaches)
      return complete(pull, -11, UnsafeRawBufferPointer(start: nil, count: 0), on: stream)
    }
    // What is consumed stays where it is until it is settled, which is after the plugin has returned.
    stream.consume(count)
    complete(pull, 0, UnsafeRawBufferPointer(start: view, count: count), on: stream)
    stream.settle()
  }

  private func complete(
    _ pull: Completion, _ status: Int32, _ piece: UnsafeRawBufferPointer, on stream: StreamPointer
  ) {
    pointee.pull = nil
    watchReader(piece)
    end(pull, "read completion", status, sluice_slice_t(piece))
  }
}
