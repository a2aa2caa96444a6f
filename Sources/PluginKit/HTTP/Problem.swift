/// An error that a client is told of as a problem document (RFC 9457).
///
/// Throw one from any handler. `code` is what programs look at and never changes; `detail` is for
/// people.
public struct Problem: Error, Sendable, Equatable {
  /// One thing that is wrong with what the client sent.
  public struct Fault: Encodable, Sendable, Equatable {
    /// An RFC 6901 JSON pointer into the body, "" for the whole.
    public let pointer: String
    /// What is wrong there.
    public let message: String

    /// - Parameter pointer: an RFC 6901 JSON pointer into the body, "" for the whole.
    public init(pointer: String, message: String) {
      self.pointer = pointer
      self.message = message
    }
  }

  /// The HTTP status, 400 to 599.
  public var status: Int
  /// Stable, in snake_case.
  public var code: String
  /// What happened and what to do about it.
  public var detail: String
  /// Where in the body, if anywhere.
  public var errors: [Fault]

  /// - Parameters:
  ///   - status: 400 to 599.
  ///   - code: stable, in snake_case; programs look at it.
  ///   - detail: for people; it goes to the client, so it names no secret.
  ///   - errors: places in the body that are wrong.
  public init(status: Int, code: String, detail: String, errors: [Fault] = []) {
    self.status = status
    self.code = code
    self.detail = detail
    self.errors = errors
  }
}

extension Problem {
  /// 400 `invalid_request`.
  public static func invalid(_ detail: String, errors: [Fault] = []) -> Problem {
    Problem(status: 400, code: "invalid_request", detail: detail, errors: errors)
  }

  /// 400 `invalid_request` with one fault.
  public static func invalid(pointer: String, _ message: String) -> Problem {
    .invalid(message, errors: [Fault(pointer: pointer, message: message)])
  }

  /// 401 `unauthenticated`.
  public static func unauthenticated(_ detail: String) -> Problem {
    Problem(status: 401, code: "unauthenticated", detail: detail)
  }

  /// 403 `forbidden`.
  public static func forbidden(_ detail: String) -> Problem {
    Problem(status: 403, code: "forbidden", detail: detail)
  }

  /// 404 `not_found`.
  public static func notFound(_ detail: String) -> Problem {
    Problem(status: 404, code: "not_found", detail: detail)
  }

  /// 409 `conflict`.
  public static func conflict(_ detail: String) -> Problem {
    Problem(status: 409, code: "conflict", detail: detail)
  }

  /// 410 `gone`.
  public static func gone(_ detail: String) -> Problem {
    Problem(status: 410, code: "gone", detail: detail)
  }

  /// 429 `rate_limited`.
  public static func rateLimited(_ detail: String) -> Problem {
    Problem(status: 429, code: "rate_limited", detail: detail)
  }

  /// 503 `plugin_unavailable`.
  public static func unavailable(_ detail: String) -> Problem {
    Problem(status: 503, code: "plugin_unavailable", detail: detail)
  }
}
