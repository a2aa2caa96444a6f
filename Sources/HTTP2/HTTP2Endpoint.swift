internal import CNghttp2
public import Wire

/// The server's side of one HTTP/2 connection (RFC 9113): frames, HPACK and flow control by nghttp2, fields and floods
/// by our own rules.
///
/// A state machine without sockets and without a clock: bytes that have come go in through ``receive(_:now:)``, bytes
/// to send come out through ``produce(now:)``, and what happens is told through ``HTTP2Events``. A handle: copies name
/// the same endpoint, which lives from ``make(owner:events:limits:headLimits:now:)`` to ``destroy()``, on one thread.
public struct HTTP2Endpoint {
  let core: CorePointer

  /// The bytes that a client begins with (RFC 9113 §3.4).
  public static var preface: StaticString { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }

  /// Makes an endpoint and lays its SETTINGS out.
  ///
  /// - Parameters:
  ///   - owner: handed to every event.
  ///   - headLimits: bounds on one request's head.
  ///   - now: milliseconds from anywhere, as in every call.
  /// - Returns: nil when there is no memory.
  public static func make(
    owner: UnsafeMutableRawPointer, events: HTTP2EventTable, limits: HTTP2Limits,
    headLimits: RequestHeadLimits, now: UInt64
  ) -> HTTP2Endpoint? {
    let core = CorePointer.allocate(capacity: 1)
    core.initialize(
      to: EndpointCore(
        owner: owner, events: events.pointer, limits: limits, headLimits: headLimits, now: now))
    var option: OpaquePointer?
    guard nghttp2_option_new(&option) == 0 else {
      core.deallocate()
      return nil
    }
    configure(option.unsafelyUnwrapped, limits)
    let status = nghttp2_session_server_new2(
      &core.pointee.nghttp2, LibraryCallbacks.shared.pointer, core, option)
    nghttp2_option_del(option)
    guard status == 0 else {
      core.deallocate()
      return nil
    }
    let endpoint = HTTP2Endpoint(core: core)
    endpoint.submitSettings(headLimits)
    return endpoint
  }

  /// Frees the endpoint. Streams that are open are forgotten, without an event.
  public func destroy() {
    nghttp2_session_del(core.pointee.nghttp2)
    core.pointee.section.release()
    core.deinitialize(count: 1)
    core.deallocate()
  }

  private static func configure(_ option: OpaquePointer, _ limits: HTTP2Limits) {
    // Windows open as bodies are taken, and messages are checked by our own rules.
    nghttp2_option_set_no_auto_window_update(option, 1)
    nghttp2_option_set_no_http_messaging(option, 1)
    // Nothing is remembered of streams that are over.
    nghttp2_option_set_no_closed_streams(option, 1)
    nghttp2_option_set_max_deflate_dynamic_table_size(option, 4_096)
    nghttp2_option_set_max_settings(option, 32)
    // Behind the gauge, which is stricter and answers ENHANCE_YOUR_CALM: a second line for the same floods.
    nghttp2_option_set_max_continuations(option, limits.continuations + 1)
    nghttp2_option_set_max_outbound_ack(option, 20 * (limits.pingsPerSecond + 1))
    // Out of the way of the gauge, because it reads a clock of its own and blames us: INTERNAL_ERROR.
    nghttp2_option_set_stream_reset_rate_limit(option, 1 << 40, 1 << 40)
  }

  private func submitSettings(_ headLimits: RequestHeadLimits) {
    let limits = core.pointee.limits
    func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
    }
    let entries = [
      entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams),
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindow),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, headLimits.headBytes),
      entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1),
      // Priorities are ignored (RFC 9113 §5.3), which a client is told (RFC 9218 §2.1).
      entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    nghttp2_submit_settings(core.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
    nghttp2_session_set_local_window_size(
      core.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: limits.connectionWindow))
  }

  // MARK: - bytes in and out

  /// What is to be done about the connection after bytes have come or gone.
  public enum State: Equatable, Sendable {
    case open
    /// All that was to be said is laid out: send it, and close.
    case finished
  }

  /// Takes bytes that have come.
  ///
  /// - Parameter bytes: the owner's, changed meanwhile.
  public func receive(_ bytes: UnsafeMutableRawBufferPointer, now: UInt64) -> State {
    core.pointee.now = now
    // A server's first frame is SETTINGS (RFC 9113 §3.4), even where the next one is its last.
    if !core.pointee.hasBegun { _ = produce(now: now) }
    let (count, breach) = core.countFrames(UnsafeRawBufferPointer(bytes))
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let status = nghttp2_session_mem_recv(core.library, start, count)
    if status < 0 { return end(status) }
    core.fail(breach)
    return breach == nil ? .open : end(Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue))
  }

  /// Hands everything that can be sent now to `onWrite` and `onSend`.
  public func produce(now: UInt64) -> State {
    core.pointee.now = now
    core.pointee.hasBegun = true
    while true {
      var data: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(core.library, &data)
      guard count > 0, let data else {
        if count < 0 { return end(count) }
        break
      }
      core.pointee.events.pointee.onWrite(core.pointee.owner, data, count)
    }
    let isOpen =
      nghttp2_session_want_read(core.library) != 0 || nghttp2_session_want_write(core.library) != 0
    return isOpen ? .open : .finished
  }

  /// Lays out the last frame of a connection that cannot go on. nghttp2 must not be asked any more.
  private func end(_ status: Int) -> State {
    let code: HTTP2ErrorCode
    switch Int32(truncatingIfNeeded: status) {
    case Int32(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue): code = .protocolError
    case Int32(NGHTTP2_ERR_FLOODED.rawValue):
      core.fail(.pings)
      code = .enhanceYourCalm
    case Int32(NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue):
      core.fail(.continuations)
      code = .enhanceYourCalm
    case Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue): code = .enhanceYourCalm
    default: code = .internalError
    }
    withUnsafeTemporaryAllocation(byteCount: 17, alignment: 4) { memory in
      guard let base = memory.baseAddress else { return }
      var frame = ByteWriter(base, capacity: 17)
      for byte in [0, 0, 8, FrameType.goAway, 0, 0, 0, 0, 0] as [UInt8] { frame.append(byte) }
      for word in [UInt32(core.pointee.lastStream), code.rawValue] {
        withUnsafeBytes(of: word.bigEndian) { frame.append($0) }
      }
      core.pointee.events.pointee.onWrite(core.pointee.owner, base, frame.count)
    }
    return .finished
  }

  // MARK: - what is known

  /// The field section that a request begins with, while `onRequest` runs.
  public var section: UnsafePointer<FieldSectionReader> {
    UnsafePointer(core.pointer(to: \.section).unsafelyUnwrapped)
  }

  /// Streams that are open.
  public var openStreams: Int { core.pointee.openStreams }

  /// Whether a peer keeps us waiting for the rest of its preface or of a field section.
  public var isWaitingForHead: Bool { core.pointee.isInSection || !core.pointee.isEstablished }
}
