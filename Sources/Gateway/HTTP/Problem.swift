internal import Wire

/// A problem as clients see it (RFC 9457): a status with a stable code.
public struct ProblemCode: Sendable {
  /// The HTTP status, 400 to 599.
  public let status: Int
  /// Stable, in snake_case; it stands in `docs/errors.md`.
  public let code: StaticString

  /// - Parameter code: one that `docs/errors.md` has.
  public init(_ status: Int, _ code: StaticString) {
    self.status = status
    self.code = code
  }

  /// Malformed HTTP or JSON, or what the route's schema refuses.
  public static let invalidRequest = ProblemCode(400, "invalid_request")
  /// The credential is missing, wrong or expired, or two sources name different apps.
  public static let unauthenticated = ProblemCode(401, "unauthenticated")
  /// The credential is good, and may not do this.
  public static let forbidden = ProblemCode(403, "forbidden")
  /// The tenant's plan allows no more of something; the problem's `errors` name the quota.
  public static let quotaExceeded = ProblemCode(403, "quota_exceeded")
  /// No such route or thing; also everything that belongs to another account's app.
  public static let notFound = ProblemCode(404, "not_found")
  /// The route belongs to a plugin that the tenant has not switched on.
  public static let pluginNotEnabled = ProblemCode(404, "plugin_not_enabled")
  /// The path is there, the method is not; `Allow` names those that are (RFC 9110 §15.5.6).
  public static let methodNotAllowed = ProblemCode(405, "method_not_allowed")
  /// The method is none that the gateway knows.
  public static let notImplemented = ProblemCode(501, "not_implemented")
  /// The request did not arrive in time.
  public static let requestTimeout = ProblemCode(408, "request_timeout")
  /// It exists already, or has changed meanwhile.
  public static let conflict = ProblemCode(409, "conflict")
  /// The `Idempotency-Key` stands for another request.
  public static let idempotencyMismatch = ProblemCode(409, "idempotency_mismatch")
  /// The body is over the route's bound.
  public static let payloadTooLarge = ProblemCode(413, "payload_too_large")
  /// What is asked for is not to be had over this connection (RFC 9110 §15.5.20).
  public static let misdirectedRequest = ProblemCode(421, "misdirected_request")
  /// The route does not take this `Content-Type`.
  public static let unsupportedMediaType = ProblemCode(415, "unsupported_media_type")
  /// The route is a WebSocket (RFC 9110 §15.5.22).
  public static let upgradeRequired = ProblemCode(426, "upgrade_required")
  /// Too many requests; `Retry-After` goes with it.
  public static let rateLimited = ProblemCode(429, "rate_limited")
  /// A fault of the gateway or of a plugin; the log has the request's id.
  public static let internalError = ProblemCode(500, "internal")
  /// The plugin is starting, stopping or has failed; `Retry-After` goes with it.
  public static let pluginUnavailable = ProblemCode(503, "plugin_unavailable")
  /// A bounded queue is full, or the gateway drains; `Retry-After` goes with it.
  public static let overloaded = ProblemCode(503, "overloaded")
  /// The disk is full; nothing was written.
  public static let storageFull = ProblemCode(503, "storage_full")
  /// The plugin did not answer in time.
  public static let deadlineExceeded = ProblemCode(504, "deadline_exceeded")

  /// The problem that belongs to a negative status of the contract (status.h).
  static func forStatus(_ status: Int32) -> (ProblemCode, StaticString) {
    switch status {
    case -2: (.invalidRequest, "The request is malformed.")
    case -7: (.forbidden, "Not allowed.")
    case -8: (.notFound, "There is no such thing.")
    case -9: (.conflict, "It exists already, or has changed meanwhile.")
    case -10, -19: (.unauthenticated, "The credential is missing, wrong or expired.")
    case -11: (.payloadTooLarge, "The request is over a bound.")
    case -12: (.overloaded, "Too much is waiting. Try again later.")
    case -13, -16: (.pluginUnavailable, "The feature is not available now. Try again later.")
    case -14: (.storageFull, "The disk is full. Nothing was written.")
    case -15: (.deadlineExceeded, "It took too long.")
    case -18: (.rateLimited, "Too many requests.")
    default: (.internalError, "Something went wrong on our side.")
    }
  }
}

/// The parts of a problem document.
struct ProblemDocument {
  static let contentType: StaticString = "application/problem+json"

  /// Renders the document. `errors` is a JSON array or empty.
  static func render(
    status: Int, code: UnsafeRawBufferPointer, detail: UnsafeRawBufferPointer,
    requestID: UnsafeRawBufferPointer,
    errors: UnsafeRawBufferPointer, into text: inout ByteWriter
  ) {
    text.append("{\"type\":\"urn:sluice:problem:")
    text.append(escaping: code)
    text.append("\",\"title\":\"")
    title(status, into: &text)
    text.append("\",\"status\":")
    text.append(decimal: status)
    text.append(",\"code\":\"")
    text.append(escaping: code)
    text.append("\",\"detail\":\"")
    text.append(escaping: detail)
    text.append("\",\"request_id\":\"")
    text.append(requestID)
    text.append("\"")
    if errors.count > 0 {
      text.append(",\"errors\":")
      text.append(errors)
    }
    text.append("}")
  }

  private static func title(_ status: Int, into text: inout ByteWriter) {
    guard let line = StatusLine.registered(status) else { return text.append("Error") }
    // What stands between "HTTP/1.1 400 " and CRLF.
    text.append(UnsafeRawPointer(line.utf8Start) + 13, line.utf8CodeUnitCount - 15)
  }

  /// A JSON array of the contract's `errors` form.
  static func render(_ problems: [FieldProblem]) -> [UInt8] {
    var text = ByteWriter(growingFrom: 256)
    defer { text.deallocate() }
    text.append("[")
    for (index, problem) in problems.enumerated() {
      text.append(index == 0 ? "{\"pointer\":\"" : ",{\"pointer\":\"")
      var pointer = problem.pointer
      pointer.withUTF8 { text.append(escaping: UnsafeRawBufferPointer($0)) }
      text.append("\",\"message\":\"")
      var message = problem.message
      message.withUTF8 { text.append(escaping: UnsafeRawBufferPointer($0)) }
      text.append("\"}")
    }
    text.append("]")
    return Array(text.bytes)
  }
}

extension StaticString {
  /// The literal's bytes, which live for ever.
  var raw: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}
