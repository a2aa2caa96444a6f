internal import CSluice

/// How a request ended, as the phase `observe` sees it.
public struct RequestOutcome: Sendable, Equatable {
  /// The HTTP status; 499 when the peer left before the answer.
  public let status: Int
  /// Bytes of the answer, its head included.
  public let bytesSent: Int
  /// From the head of the request to the end of the answer.
  public let duration: Duration

  /// For tests; the host makes those that a handler sees.
  public init(status: Int, bytesSent: Int, duration: Duration) {
    self.status = status
    self.bytesSent = bytesSent
    self.duration = duration
  }
}

// What plugins with `sluice.phases/1` see beside what every request shows.
extension Request {
  /// The operation of the route, as its manifest calls it; "" when the peer is gone.
  public var operation: String {
    guard let (phases, host) = context.phases else { return "" }
    return phases.pointee.operation(host, token).text
  }

  /// The id of the plugin whose route it is; "" when the peer is gone.
  public var owner: String {
    guard let (phases, host) = context.phases else { return "" }
    return phases.pointee.owner(host, token).text
  }

  /// Adds a header field to the answer, whoever gives it. In the phases `authorize`, `limit` and `respond`.
  ///
  /// - Throws: `RequestGone`; `HostError` when the field is malformed or one of the host's.
  public func addHeader(_ name: String, _ value: String) throws {
    guard let (http, host) = context.http else { throw ExtensionUnavailable("sluice.http/1") }
    let status = name.withSlice { name in
      value.withSlice { http.pointee.set_header(host, token, name, $0) }
    }
    if status == SLUICE_E_STALE { throw RequestGone() }
    try context.check(status, "set_header")
  }

  var outcome: RequestOutcome {
    guard let (phases, host) = context.phases else {
      return RequestOutcome(status: 0, bytesSent: 0, duration: .zero)
    }
    return RequestOutcome(
      status: Int(phases.pointee.status(host, token)),
      bytesSent: Int(clamping: phases.pointee.bytes_sent(host, token)),
      duration: .nanoseconds(Int64(clamping: phases.pointee.duration_ns(host, token))))
  }
}
