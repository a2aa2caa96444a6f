internal import CNghttp2
internal import Wire

typealias CorePointer = UnsafeMutablePointer<EndpointCore>

/// The memory behind an ``HTTP2Endpoint``. nghttp2 hands its address to every callback.
struct EndpointCore {
  var nghttp2: OpaquePointer?
  let owner: UnsafeMutableRawPointer
  let events: UnsafePointer<HTTP2Events>
  let limits: HTTP2Limits
  var gauge: FloodGauge
  var scanner = FrameScanner(prefaceBytes: HTTP2Endpoint.preface.utf8CodeUnitCount)
  var section: FieldSectionReader
  /// Milliseconds on the owner's clock, as of the call that is going on.
  var now: UInt64
  /// What ends the connection.
  var breach: HTTP2Breach?
  var openStreams = 0
  /// The last stream that was begun.
  var lastStream: Int32 = 0
  /// Whether our own preface, the SETTINGS frame, is sent.
  var hasBegun = false
  /// Whether a field section is incomplete.
  var isInSection = false
  /// Whether the peer's own preface has come whole (RFC 9113 §3.4).
  var isEstablished = false
  /// Whether the next GOAWAY is followed by a PING, whose answer says that the peer has read both.
  var isAnnouncingEnd = false

  init(
    owner: UnsafeMutableRawPointer, events: UnsafePointer<HTTP2Events>, limits: HTTP2Limits,
    headLimits: RequestHeadLimits, now: UInt64
  ) {
    self.owner = owner
    self.events = events
    self.limits = limits
    self.now = now
    gauge = FloodGauge(limits: limits)
    section = FieldSectionReader(limits: headLimits)
  }
}

extension UnsafeMutablePointer where Pointee == EndpointCore {
  var library: OpaquePointer { pointee.nghttp2.unsafelyUnwrapped }

  /// Takes note of a breach that ends the connection.
  func fail(_ breach: HTTP2Breach?) {
    guard let breach, pointee.breach == nil else { return }
    pointee.breach = breach
    count(breach)
  }

  /// Counts the frames that have come, up to one that is too many; returns how many bytes come before it.
  func countFrames(_ bytes: UnsafeRawBufferPointer) -> (count: Int, breach: HTTP2Breach?) {
    var offset = 0
    while let frame = pointee.scanner.next(bytes, offset: &offset) {
      if let breach = pointee.gauge.received(frame, now: pointee.now) {
        return (max(0, offset - 9), breach)
      }
    }
    return (bytes.count, nil)
  }

  func count(_ breach: HTTP2Breach) {
    pointee.events.pointee.onBreach(pointee.owner, breach.rawValue)
  }

  /// What a callback of nghttp2 returns.
  var verdict: Int32 {
    pointee.breach == nil ? 0 : Int32(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
  }

  /// Ends a stream for something its peer did on it.
  func resetForFault(_ id: Int32, _ code: HTTP2ErrorCode) {
    nghttp2_submit_rst_stream(library, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
    fail(pointee.gauge.reset(now: pointee.now))
  }
}
