internal import CSluice

/// The whole answer to a request.
///
/// A JSON literal is sent from the program's constants and copied by nobody:
/// `.json(#"{"message":"hello, world"}"#)`.
@frozen
public struct Response {
  // What a literal answer consists of: constants of the program, in four words, so that such an answer is
  // made, passed and dropped in registers and without a reference being counted.
  @usableFromInline let literal: UnsafePointer<UInt8>
  @usableFromInline let contentType: UnsafePointer<UInt8>
  @usableFromInline let literalCount: UInt32
  @usableFromInline let contentTypeCount: UInt16
  @usableFromInline let code: UInt16
  /// What any other answer consists of; nil for a literal one.
  @usableFromInline let rest: Rest?

  /// The HTTP status, 200 to 599.
  public var status: Int { Int(code) }

  @inlinable
  init(status: Int, contentType: StaticString, literal: StaticString) {
    self.literal = literal.utf8Start
    self.literalCount = UInt32(truncatingIfNeeded: literal.utf8CodeUnitCount)
    self.contentType = contentType.utf8Start
    self.contentTypeCount = UInt16(truncatingIfNeeded: contentType.utf8CodeUnitCount)
    self.code = UInt16(clamping: status)
    self.rest = nil
  }

  init(status: Int, contentType: String?, _ body: Body) {
    self.init(
      code: UInt16(clamping: status), Rest(contentType: contentType, body: body, fields: []))
  }

  private init(code: UInt16, _ rest: Rest) {
    let empty: StaticString = ""
    literal = empty.utf8Start
    literalCount = 0
    contentType = empty.utf8Start
    contentTypeCount = 0
    self.code = code
    self.rest = rest
  }

  @usableFromInline
  enum Body {
    case empty
    case text(String)
    case bytes([UInt8])
    case problem(Problem)
    case streamed
    case pending
  }

  @usableFromInline
  final class Rest {
    let contentType: String?
    let body: Body
    let fields: [(name: String, value: String)]

    init(contentType: String?, body: Body, fields: [(name: String, value: String)]) {
      self.contentType = contentType
      self.body = body
      self.fields = fields
    }
  }
}

extension Response {
  /// A JSON literal: the fast form.
  @inlinable
  public static func json(_ literal: StaticString, status: Int = 200) -> Response {
    Response(status: status, contentType: "application/json", literal: literal)
  }

  /// A literal of any type, as fast.
  @inlinable
  public static func literal(
    _ literal: StaticString, contentType: StaticString, status: Int = 200
  ) -> Response {
    Response(status: status, contentType: contentType, literal: literal)
  }

  /// JSON that is text already.
  @_disfavoredOverload
  public static func json(_ text: String, status: Int = 200) -> Response {
    Response(status: status, contentType: "application/json", .text(text))
  }

  /// JSON that is bytes already.
  public static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
    Response(status: status, contentType: "application/json", .bytes(bytes))
  }

  /// A value as JSON.
  @_disfavoredOverload
  public static func json<Value: Encodable>(_ value: Value, status: Int = 200) throws -> Response {
    .json(try JSON.encode(value), status: status)
  }

  /// No body.
  public static func empty(_ status: Int = 204) -> Response {
    Response(status: status, contentType: nil, .empty)
  }

  /// Text of any type.
  public static func text(
    _ text: String, contentType: String = "text/plain; charset=utf-8", status: Int = 200
  ) -> Response {
    Response(status: status, contentType: contentType, .text(text))
  }

  /// Bytes of any type.
  public static func bytes(
    _ bytes: [UInt8], contentType: String, status: Int = 200
  ) -> Response {
    Response(status: status, contentType: contentType, .bytes(bytes))
  }

  /// A problem document, as if it had been thrown.
  public static func problem(_ problem: Problem) -> Response {
    Response(status: problem.status, contentType: nil, .problem(problem))
  }

  /// The handler has sent the answer itself, through `Request.stream`.
  public static var streamed: Response {
    Response(status: 200, contentType: nil, .streamed)
  }

  /// The answer comes later, from what the handler has begun.
  static var pending: Response {
    Response(status: 200, contentType: nil, .pending)
  }

  /// The same answer with one more header field. The host refuses a malformed one, and those it sets
  /// itself (Content-Length, Date, …): then the request ends in 500 and a line in the log.
  public func header(_ name: String, _ value: String) -> Response {
    let rest =
      rest
      ?? Rest(
        contentType: Bytes(contentTypeSlice).text, body: .bytes(Array(Bytes(literalSlice))),
        fields: [])
    return Response(
      code: code,
      Rest(
        contentType: rest.contentType, body: rest.body, fields: rest.fields + [(name, value)]))
  }

  var literalSlice: sluice_slice_t {
    sluice_slice_t(bytes: literal, length: UInt64(literalCount))
  }

  var contentTypeSlice: sluice_slice_t {
    sluice_slice_t(bytes: contentType, length: UInt64(contentTypeCount))
  }
}
