internal import CSluice

extension Request {
  /// Begins an answer in pieces; the handler then returns `.streamed`.
  ///
  /// - Parameter length: the body's length in bytes; nil sends it chunked (RFC 9112 §7.1), and makes it one of the tenant's
  ///   connections until it ends.
  /// - Throws: `RequestGone`, also when the tenant's plan allows no more connections, which the host has answered;
  ///   `HostError`.
  public func stream(
    status: Int = 200, contentType: String, length: Int? = nil
  ) throws -> ResponseStream {
    guard let (http, host) = context.http else { throw ExtensionUnavailable("sluice.http/1") }
    let result = contentType.withSlice {
      http.pointee.begin(host, token, UInt32(clamping: status), $0, length.map(Int64.init) ?? -1)
    }
    if result == SLUICE_E_STALE || result == SLUICE_E_LIMITED { throw RequestGone() }
    try context.check(result, "begin")
    return ResponseStream(request: self)
  }

  /// The next piece of the body of a route with `"body": "stream"`, or nil at its end. One read at a
  /// time; the host takes nothing from the peer while nobody reads.
  ///
  /// - Throws: `RequestGone`; `HostError` when the body is malformed, too large or cut off.
  public func readBody() async throws -> [UInt8]? {
    guard let (http, host) = context.http else { throw ExtensionUnavailable("sluice.http/1") }
    let piece = try await context.callForRequest { completion, call in
      http.pointee.read(host, token, completion, call)
    }
    return piece.isEmpty ? nil : piece
  }
}

/// An answer that is sent in pieces. Loop thread only.
public struct ResponseStream {
  let request: Request

  /// Sends a piece, and returns when there is room for the next.
  ///
  /// - Throws: `RequestGone`; `HostError`.
  public func write(_ piece: [UInt8]) async throws {
    let (context, token) = (request.context, request.token)
    guard let (http, host) = context.http else { throw ExtensionUnavailable("sluice.http/1") }
    _ = try await context.callForRequest(endingWith: SLUICE_OK) { completion, call in
      piece.withSlice { http.pointee.write(host, token, $0, completion, call) }
    }
  }

  /// Ends the answer.
  public func end() throws {
    let context = request.context
    guard let (http, host) = context.http else { throw ExtensionUnavailable("sluice.http/1") }
    let result = http.pointee.end(host, request.token)
    if result == SLUICE_E_STALE { throw RequestGone() }
    try context.check(result, "end")
  }
}

extension ShardContext {
  /// A call about a request, whose peer may be gone.
  fileprivate func callForRequest(
    endingWith status: sluice_status_t? = nil,
    _ start: (sluice_completion_fn, UInt64) -> sluice_status_t
  ) async throws -> [UInt8] {
    try await call(endingWith: status, start) { status, result in
      if status == SLUICE_E_STALE || status == SLUICE_E_CANCELLED { throw RequestGone() }
      guard status >= 0 else { throw HostError(Status(rawValue: status), result.text) }
      return Array(Bytes(result))
    }
  }
}
