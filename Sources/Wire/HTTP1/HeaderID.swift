/// A field name the codec recognises while it parses, so that looking it up is an index.
public enum HeaderID: UInt8, Sendable, CaseIterable {
  /// Any name not listed here.
  case other = 0
  case host
  case contentLength
  case transferEncoding
  case connection
  case expect
  case upgrade
  case authorization
  case contentType
  case origin
  case cookie
  case accept
  case acceptEncoding
  case acceptLanguage
  case userAgent
  case referer
  case range
  case ifMatch
  case ifNoneMatch
  case ifModifiedSince
  case cacheControl
  case contentEncoding
  case forwarded
  case xForwardedFor
  case xForwardedProto
  case xRequestID
  case traceparent
  case tracestate
  case idempotencyKey
  case lastEventID
  case accessControlRequestMethod
  case accessControlRequestHeaders
  case secWebSocketKey
  case secWebSocketVersion
  case secWebSocketProtocol
  case secWebSocketExtensions
  case http2Settings

  /// The size of a table with one entry for each id.
  static let tableSize = 40

  /// Whether the field means two things when sent twice: a second one is refused, not chosen from.
  @inline(__always)
  var isSingleton: Bool {
    let set =
      bit(.authorization) | bit(.contentType) | bit(.origin) | bit(.expect)
      | bit(.idempotencyKey) | bit(.secWebSocketKey) | bit(.secWebSocketVersion)
    return set & bit(self) != 0
  }

  /// Whether the parser takes note of more than where the field is.
  @inline(__always)
  var isRead: Bool {
    let set =
      bit(.host) | bit(.contentLength) | bit(.transferEncoding) | bit(.connection)
      | bit(.expect) | bit(.upgrade) | bit(.forwarded)
    return set & bit(self) != 0
  }

  @inline(__always)
  private func bit(_ id: HeaderID) -> UInt64 { 1 &<< UInt64(id.rawValue) }

  /// The id of the name of `count` bytes at `name`, letters compared without case. A name that is
  /// recognised is a token, so it needs no further check.
  static func identify(_ name: UnsafeRawPointer, _ count: Int) -> HeaderID {
    @inline(__always)
    func named(_ known: StaticString, _ length: Int) -> Bool { matchesFolded(name, known, length) }
    switch count {
    case 4:
      if named("host", 4) { return .host }
    case 5:
      if named("range", 5) { return .range }
    case 6:
      if named("accept", 6) { return .accept }
      if named("cookie", 6) { return .cookie }
      if named("origin", 6) { return .origin }
      if named("expect", 6) { return .expect }
    case 7:
      if named("upgrade", 7) { return .upgrade }
      if named("referer", 7) { return .referer }
    case 8:
      if named("if-match", 8) { return .ifMatch }
    case 9:
      if named("forwarded", 9) { return .forwarded }
    case 10:
      if named("user-agent", 10) { return .userAgent }
      if named("connection", 10) { return .connection }
      if named("tracestate", 10) { return .tracestate }
    case 11:
      if named("traceparent", 11) { return .traceparent }
    case 12:
      if named("content-type", 12) { return .contentType }
      if named("x-request-id", 12) { return .xRequestID }
    case 13:
      if named("authorization", 13) { return .authorization }
      if named("cache-control", 13) { return .cacheControl }
      if named("if-none-match", 13) { return .ifNoneMatch }
      if named("last-event-id", 13) { return .lastEventID }
    case 14:
      if named("content-length", 14) { return .contentLength }
      if named("http2-settings", 14) { return .http2Settings }
    case 15:
      if named("accept-encoding", 15) { return .acceptEncoding }
      if named("accept-language", 15) { return .acceptLanguage }
      if named("idempotency-key", 15) { return .idempotencyKey }
      if named("x-forwarded-for", 15) { return .xForwardedFor }
    case 16:
      if named("content-encoding", 16) { return .contentEncoding }
    case 17:
      if named("transfer-encoding", 17) { return .transferEncoding }
      if named("sec-websocket-key", 17) { return .secWebSocketKey }
      if named("x-forwarded-proto", 17) { return .xForwardedProto }
      if named("if-modified-since", 17) { return .ifModifiedSince }
    case 21:
      if named("sec-websocket-version", 21) { return .secWebSocketVersion }
    case 22:
      if named("sec-websocket-protocol", 22) { return .secWebSocketProtocol }
    case 24:
      if named("sec-websocket-extensions", 24) { return .secWebSocketExtensions }
    case 29:
      if named("access-control-request-method", 29) { return .accessControlRequestMethod }
    case 30:
      if named("access-control-request-headers", 30) { return .accessControlRequestHeaders }
    default: break
    }
    return .other
  }
}
