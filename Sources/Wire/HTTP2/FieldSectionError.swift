/// Why the field section of an HTTP/2 request cannot be taken.
public enum FieldSectionError: Error, Equatable, Sendable {
  /// What is wrong in every version of HTTP.
  case http(HTTP1Error)
  case upperCaseName
  case pseudoHeaderAfterField
  case pseudoHeaderInTrailers
  case unknownPseudoHeader
  case duplicatePseudoHeader
  case missingPseudoHeader
  case connectionSpecificField
  case invalidTE
  case unknownScheme
  case missingAuthority
  case hostDiffers
  case invalidPath
  case invalidConnect
  case protocolWithoutConnect
  case unknownProtocol
  case contentLengthMismatch
  case trailersWithoutEnd

  /// The status code to answer with, when there is still an answer to give.
  public var status: Int {
    switch self {
    case .http(let error): error.status
    case .unknownProtocol: 501
    default: 400
    }
  }

  /// The stable code of the answer's `code` member.
  public var code: StaticString {
    switch self {
    case .http(let error): error.code
    case .unknownProtocol: "not_implemented"
    default: "invalid_request"
    }
  }

  /// Whether the request is malformed, so that its stream ends with the error PROTOCOL_ERROR whatever was answered
  /// (RFC 9113 §8.1.1). Else it is a request that is well-formed and more than this server takes.
  public var isMalformed: Bool { status == 400 }

  /// What is wrong, in one sentence without a full stop, for the answer's `detail` member.
  public var message: StaticString {
    switch self {
    case .http(let error): error.message
    case .upperCaseName: "a header field's name has an upper-case letter"
    case .pseudoHeaderAfterField: "a pseudo-header field comes after a header field"
    case .pseudoHeaderInTrailers: "a pseudo-header field among the trailer fields"
    case .unknownPseudoHeader: "a pseudo-header field that a request does not have"
    case .duplicatePseudoHeader: "a pseudo-header field appears twice"
    case .missingPseudoHeader: "a request needs :method, :scheme and :path"
    case .connectionSpecificField: "a field that speaks of an HTTP/1 connection"
    case .invalidTE: "TE may only be trailers"
    case .unknownScheme: ":scheme is neither http nor https"
    case .missingAuthority: "neither :authority nor Host"
    case .hostDiffers: "Host is not what :authority is"
    case .invalidPath: ":path is neither a path with an optional query, nor * for OPTIONS"
    case .invalidConnect: "CONNECT has :authority, and neither :scheme nor :path"
    case .protocolWithoutConnect: ":protocol without the method CONNECT"
    case .unknownProtocol: "the only :protocol here is websocket"
    case .contentLengthMismatch: "the body is not as long as Content-Length says"
    case .trailersWithoutEnd: "a second field section that does not end the stream"
    }
  }
}
