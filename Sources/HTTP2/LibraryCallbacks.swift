internal import CNghttp2
internal import Wire

/// The functions that nghttp2 calls. It copies them into each endpoint.
///
/// `@unchecked Sendable`: immutable once it is filled.
struct LibraryCallbacks: @unchecked Sendable {
  static let shared = LibraryCallbacks()
  let pointer: OpaquePointer?

  private init() {
    var callbacks: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, beginHeaders)
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header)
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameReceived)
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, frameRefused)
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataReceived)
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameSent)
    nghttp2_session_callbacks_set_send_data_callback(callbacks, sendBody)
    pointer = callbacks
  }
}

extension EndpointCore {
  /// What our own PING carries.
  static let endMark: UInt64 = 0x646e_652d_6f67_2d69
}

private typealias Frame = UnsafePointer<nghttp2_frame>

private func core(_ user: UnsafeMutableRawPointer?) -> CorePointer {
  user.unsafelyUnwrapped.assumingMemoryBound(to: EndpointCore.self)
}

private func endsStream(_ frame: Frame) -> Bool {
  frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
}

/// The owner's memory for a stream.
private func stream(_ core: CorePointer, _ id: Int32) -> UnsafeMutableRawPointer? {
  nghttp2_session_get_stream_user_data(core.library, id)
}

private func beginHeaders(
  _: OpaquePointer?, _ frame: Frame?, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  let frame = frame.unsafelyUnwrapped
  let isRequest = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
  core.pointee.section.begin(isRequest ? .request : .trailers)
  core.pointee.isInSection = true
  if isRequest {
    core.pointee.openStreams += 1
    core.pointee.lastStream = frame.pointee.hd.stream_id
  }
  return 0
}

private func header(
  _: OpaquePointer?, _: Frame?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
  _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _: UInt8, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  core.pointee.section.add(
    UnsafeRawBufferPointer(start: name, count: nameCount),
    UnsafeRawBufferPointer(start: value, count: valueCount))
  if core.pointee.section.listBytes > core.pointee.limits.fieldSectionBytes {
    core.fail(.fieldSection)
  }
  return core.verdict
}

private func frameReceived(
  _: OpaquePointer?, _ frame: Frame?, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  let frame = frame.unsafelyUnwrapped
  switch frame.pointee.hd.type {
  case FrameType.headers: sectionReceived(core, frame)
  case FrameType.data:
    if endsStream(frame), let stream = stream(core, frame.pointee.hd.stream_id) {
      core.pointee.events.pointee.onEnd(core.pointee.owner, stream)
    }
  case FrameType.settings: core.pointee.isEstablished = true
  case FrameType.ping:
    let isAnswer = frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    let mark = withUnsafeBytes(of: frame.pointee.ping.opaque_data) { $0.load(as: UInt64.self) }
    if isAnswer, mark == EndpointCore.endMark {
      core.pointee.events.pointee.onEndHeard(core.pointee.owner)
    }
  default: break
  }
  return core.verdict
}

/// A field section is whole: a request, or the trailers of one.
private func sectionReceived(_ core: CorePointer, _ frame: Frame) {
  let id = frame.pointee.hd.stream_id
  let isEnd = endsStream(frame)
  let error = core.pointee.section.finish(endsStream: isEnd)
  core.pointee.isInSection = false
  defer { core.pointee.section.release() }
  guard frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST else {
    // Streams take turns: to a client that says nothing of urgency all are alike, and what it says is ignored.
    var turns = nghttp2_extpri(urgency: 3, inc: 1)
    nghttp2_session_change_extpri_stream_priority(core.library, id, &turns, 1)
    let stream = core.pointee.events.pointee.onRequest(core.pointee.owner, id, isEnd)
    nghttp2_session_set_stream_user_data(core.library, id, stream)
    return
  }
  guard error == nil else { return core.resetForFault(id, .protocolError) }
  if let stream = stream(core, id) {
    core.pointee.events.pointee.onEnd(core.pointee.owner, stream)
  }
}

/// nghttp2 refuses a frame: it resets the stream, or ends the connection.
private func frameRefused(
  _: OpaquePointer?, _ frame: Frame?, _ reason: Int32, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  let frame = frame.unsafelyUnwrapped
  core.pointee.isInSection = false
  if frame.pointee.hd.type == FrameType.headers,
    core.pointee.openStreams >= core.pointee.limits.streams
  {
    core.count(.streams)
  }
  // A window that is overrun is counted when the reset is sent, because not all of those come by here.
  if reason != NGHTTP2_ERR_FLOW_CONTROL.rawValue {
    core.fail(core.pointee.gauge.reset(now: core.pointee.now))
  }
  return core.verdict
}

private func dataReceived(
  _: OpaquePointer?, _: UInt8, _ id: Int32, _ bytes: UnsafePointer<UInt8>?, _ count: Int,
  _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  guard let stream = stream(core, id), let bytes else {
    HTTP2Endpoint(core: core).consume(count, on: id)
    return 0
  }
  // They lie in the memory that `receive` was given, which is the owner's to change, and nghttp2 is done with them.
  core.pointee.events.pointee.onData(
    core.pointee.owner, stream, UnsafeMutableRawPointer(mutating: bytes), count)
  return core.verdict
}

private func streamClosed(
  _: OpaquePointer?, _ id: Int32, _ code: UInt32, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  core.pointee.openStreams -= 1
  if let stream = stream(core, id) {
    core.pointee.events.pointee.onClosed(core.pointee.owner, stream, code)
  }
  return core.verdict
}

private func frameSent(
  _: OpaquePointer?, _ frame: Frame?, _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  let frame = frame.unsafelyUnwrapped
  let id = frame.pointee.hd.stream_id
  switch frame.pointee.hd.type {
  case FrameType.resetStream:
    if frame.pointee.rst_stream.error_code == HTTP2ErrorCode.flowControlError.rawValue {
      core.fail(core.pointee.gauge.reset(now: core.pointee.now))
    }
  case FrameType.goAway where core.pointee.isAnnouncingEnd:
    core.pointee.isAnnouncingEnd = false
    withUnsafeBytes(of: EndpointCore.endMark) { mark in
      _ = nghttp2_submit_ping(
        core.library, UInt8(NGHTTP2_FLAG_NONE.rawValue),
        mark.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
    }
  case FrameType.data, FrameType.headers:
    if endsStream(frame), nghttp2_session_get_stream_remote_close(core.library, id) == 0,
      let stream = stream(core, id)
    {
      core.pointee.events.pointee.onAnswered(core.pointee.owner, stream)
    }
  default: break
  }
  return core.verdict
}

/// Asks the owner for a part of an answer's body.
func readBody(
  _: OpaquePointer?, _ id: Int32, _: UnsafeMutablePointer<UInt8>?, _ room: Int,
  _ flags: UnsafeMutablePointer<UInt32>?, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
  _ user: UnsafeMutableRawPointer?
) -> Int {
  let core = core(user)
  let stream = source.unsafelyUnwrapped.pointee.ptr.unsafelyUnwrapped
  let pull = HTTP2Pull(
    rawValue: core.pointee.events.pointee.onPull(core.pointee.owner, stream, room))
  switch pull {
  case .deferred: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
  case .paused: return Int(NGHTTP2_ERR_PAUSE.rawValue)
  case .malformed:
    core.resetForFault(id, .protocolError)
    return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
  default: break
  }
  let count = pull.rawValue >> 1
  let isLast = pull.rawValue & 1 != 0
  // A peer answers a frame as large as it allowed, or the last there was, with new room; crumbs earn it nothing.
  if count >= 1_024 || count < room { core.pointee.gauge.sentData(now: core.pointee.now) }
  var result = UInt32(NGHTTP2_DATA_FLAG_NO_COPY.rawValue)
  if isLast { result |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue) }
  flags.unsafelyUnwrapped.pointee = result
  return count
}

/// Sends a DATA frame, whose bytes the owner has.
private func sendBody(
  _: OpaquePointer?, _: UnsafeMutablePointer<nghttp2_frame>?, _ header: UnsafePointer<UInt8>?,
  _ count: Int, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
  _ user: UnsafeMutableRawPointer?
) -> Int32 {
  let core = core(user)
  let stream = source.unsafelyUnwrapped.pointee.ptr.unsafelyUnwrapped
  core.pointee.events.pointee.onWrite(core.pointee.owner, header.unsafelyUnwrapped, 9)
  if count > 0 { core.pointee.events.pointee.onSend(core.pointee.owner, stream, count) }
  return 0
}
