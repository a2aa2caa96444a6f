internal import PluginKit

/// An answer as a client would get it.
public struct TestReply: Sendable {
  /// The HTTP status that a client would get.
  public let status: Int
  /// As the plugin gave it; nil when it gave none.
  public let contentType: String?
  /// What the plugin added, names in lower case.
  public let headers: [(name: String, value: String)]
  /// The whole body, also when the plugin sent it in pieces.
  public let body: [UInt8]

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The first header field of the name, in lower case.
  public func header(_ name: String) -> String? {
    headers.first { $0.name == name }?.value
  }

  /// The body as a value.
  ///
  /// - Throws: `JSONError` with the pointer of what is wrong.
  public func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSON.decode(type, from: body)
  }

  /// The problem document, if it is one.
  public var problem: TestProblem? {
    guard contentType == "application/problem+json" else { return nil }
    return try? json(TestProblem.self)
  }
}

/// A problem document (RFC 9457).
public struct TestProblem: Codable, Sendable, Equatable {
  /// A place in the body that is wrong.
  public struct Fault: Codable, Sendable, Equatable {
    /// An RFC 6901 JSON pointer, "" for the whole.
    public var pointer: String
    /// What is wrong there, for people.
    public var message: String

    /// - Parameter pointer: RFC 6901, "" for the whole.
    public init(pointer: String, message: String) {
      self.pointer = pointer
      self.message = message
    }
  }

  /// The HTTP status again.
  public var status: Int
  /// Stable, in snake_case: look at this one in a test.
  public var code: String
  /// For people; it may change.
  public var detail: String
  /// Places in the body; nil when none is named.
  public var errors: [Fault]?
}

extension TestReply {
  /// The problem that the host makes of a handler's status.
  init(status: Int32) {
    let problem = TestProblem.of(status)
    self.init(problem, headers: [])
  }

  init(_ problem: TestProblem, headers: [(name: String, value: String)]) {
    self.init(
      status: problem.status, contentType: "application/problem+json", headers: headers,
      body: (try? JSON.encode(problem)) ?? [])
  }
}

extension TestProblem {
  static func of(_ status: Int32) -> TestProblem {
    let (http, code): (Int, String) =
      switch Status(rawValue: status) {
      case .invalid: (400, "invalid_request")
      case .denied: (403, "forbidden")
      case .notFound: (404, "not_found")
      case .conflict: (409, "conflict")
      case .unauthenticated, .expired: (401, "unauthenticated")
      case .tooLarge: (413, "payload_too_large")
      case .overloaded: (503, "overloaded")
      case .unavailable, .cancelled: (503, "plugin_unavailable")
      case .storageFull: (503, "storage_full")
      case .deadline: (504, "deadline_exceeded")
      case .limited: (429, "rate_limited")
      default: (500, "internal")
      }
    return TestProblem(status: http, code: code, detail: "status \(status)", errors: nil)
  }
}
