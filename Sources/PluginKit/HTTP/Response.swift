/// The whole answer to a request.
///
/// A JSON literal is sent from the program's constants and copied by nobody:
/// `.json(#"{"message":"hello, world"}"#)`.
public struct Response {
  @usableFromInline
  enum Body {
    case empty
    case literal(StaticString)
    case text(String)
    case bytes([UInt8])
    case problem(Problem)
    case streamed
  }

  @usableFromInline
  enum ContentType {
    case none
    case literal(StaticString)
    case text(String)
  }

  /// The HTTP status, 200 to 599.
  public var status: Int
  @usableFromInline var contentType: ContentType
  @usableFromInline var body: Body
  @usableFromInline var fields: [(name: String, value: String)] = []

  @inlinable
  init(status: Int, contentType: ContentType, body: Body) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }
}

extension Response {
  /// A JSON literal: the fast form.
  @inlinable
  public static func json(_ literal: StaticString, status: Int = 200) -> Response {
    Response(status: status, contentType: .literal("application/json"), body: .literal(literal))
  }

  /// JSON that is text already.
  @_disfavoredOverload
  @inlinable
  public static func json(_ text: String, status: Int = 200) -> Response {
    Response(status: status, contentType: .literal("application/json"), body: .text(text))
  }

  /// JSON that is bytes already.
  @inlinable
  public static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
    Response(status: status, contentType: .literal("application/json"), body: .bytes(bytes))
  }

  /// A value as JSON.
  @_disfavoredOverload
  public static func json<Value: Encodable>(_ value: Value, status: Int = 200) throws -> Response {
    .json(try JSON.encode(value), status: status)
  }

  /// No body.
  @inlinable
  public static func empty(_ status: Int = 204) -> Response {
    Response(status: status, contentType: .none, body: .empty)
  }

  /// A literal of any type.
  @inlinable
  public static func literal(
    _ literal: StaticString, contentType: StaticString, status: Int = 200
  ) -> Response {
    Response(status: status, contentType: .literal(contentType), body: .literal(literal))
  }

  /// Text of any type.
  public static func text(
    _ text: String, contentType: String = "text/plain; charset=utf-8", status: Int = 200
  ) -> Response {
    Response(status: status, contentType: .text(contentType), body: .text(text))
  }

  /// Bytes of any type.
  public static func bytes(
    _ bytes: [UInt8], contentType: String, status: Int = 200
  ) -> Response {
    Response(status: status, contentType: .text(contentType), body: .bytes(bytes))
  }

  /// A problem document, as if it had been thrown.
  public static func problem(_ problem: Problem) -> Response {
    Response(status: problem.status, contentType: .none, body: .problem(problem))
  }

  /// The handler has sent the answer itself, through `Request.stream`.
  public static var streamed: Response {
    Response(status: 200, contentType: .none, body: .streamed)
  }

  /// The same answer with one more header field. The host refuses a malformed one, and those it sets
  /// itself (Content-Length, Date, …): then the request ends in 500 and a line in the log.
  public func header(_ name: String, _ value: String) -> Response {
    var copy = self
    copy.fields.append((name, value))
    return copy
  }
}
