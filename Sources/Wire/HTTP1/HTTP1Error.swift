/// Why a request cannot be taken. After any of these the connection is answered and closed: where
/// the next message would begin is not known (RFC 9112 §9.3).
public enum HTTP1Error: UInt8, Error, Sendable, CaseIterable {
  case leadingEmptyLines
  case bareLineFeed
  case bareCarriageReturn
  case invalidMethod
  case methodTooLong
  case connectNotSupported
  case malformedRequestLine
  case invalidTarget
  case fragmentInTarget
  case invalidTargetForm
  case targetTooLong
  case malformedVersion
  case unsupportedVersion
  case headTooLarge
  case tooManyFields
  case emptyFieldName
  case invalidFieldName
  case spaceBeforeColon
  case missingColon
  case obsoleteLineFolding
  case invalidFieldValue
  case duplicateField
  case missingHost
  case duplicateHost
  case invalidHost
  case invalidContentLength
  case duplicateContentLength
  case contentLengthWithTransferEncoding
  case transferEncodingInHTTP10
  case invalidTransferEncoding
  case unsupportedTransferCoding
  case invalidConnection
  case unsupportedExpectation
  case invalidChunkSize
  case chunkSizeTooLarge
  case invalidChunkExtension
  case chunkExtensionsTooLarge
  case missingChunkEnd
  case invalidTrailer
  case forbiddenTrailer
  case trailersTooLarge

  /// The status code to answer with.
  public var status: Int {
    switch self {
    case .targetTooLong: 414
    case .unsupportedExpectation: 417
    case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
    case .methodTooLong, .connectNotSupported, .unsupportedTransferCoding: 501
    case .unsupportedVersion: 505
    default: 400
    }
  }

  /// The stable code of the answer's `code` member.
  public var code: StaticString {
    switch status {
    case 414: "uri_too_long"
    case 417: "expectation_failed"
    case 431: "headers_too_large"
    case 501: "not_implemented"
    case 505: "http_version_not_supported"
    default: "invalid_request"
    }
  }

  /// What is wrong, in one sentence without a full stop, for the answer's `detail` member.
  public var message: StaticString {
    switch self {
    case .leadingEmptyLines: "more than one empty line before the request line"
    case .bareLineFeed: "a line ends in LF without CR"
    case .bareCarriageReturn: "CR without LF after it"
    case .invalidMethod: "the method is not a token"
    case .methodTooLong: "the method is longer than any this server knows"
    case .connectNotSupported: "CONNECT is not supported: this server is no proxy"
    case .malformedRequestLine:
      "the request line is not method, one space, target, one space, version"
    case .invalidTarget: "the request target has a byte that must be percent-encoded"
    case .fragmentInTarget: "the request target has a fragment"
    case .invalidTargetForm:
      "the request target is neither a path nor an http or https URI, nor * for OPTIONS"
    case .targetTooLong: "the request target is too long"
    case .malformedVersion: "the version is not HTTP/ digit . digit"
    case .unsupportedVersion: "the version is not HTTP/1.0 or HTTP/1.1"
    case .headTooLarge: "the request line and header fields are too large"
    case .tooManyFields: "too many header fields"
    case .emptyFieldName: "a header field has an empty name"
    case .invalidFieldName: "a header field's name is not a token"
    case .spaceBeforeColon: "a header field has whitespace before its colon"
    case .missingColon: "a header field has no colon"
    case .obsoleteLineFolding: "a header line begins with whitespace"
    case .invalidFieldValue: "a header field's value has a control character"
    case .duplicateField: "a header field that may appear once appears twice"
    case .missingHost: "no Host field in an HTTP/1.1 request"
    case .duplicateHost: "more than one Host field"
    case .invalidHost: "the host is not a name or address with an optional port"
    case .invalidContentLength: "Content-Length is not one decimal number"
    case .duplicateContentLength: "more than one Content-Length field"
    case .contentLengthWithTransferEncoding: "both Content-Length and Transfer-Encoding"
    case .transferEncodingInHTTP10: "Transfer-Encoding in an HTTP/1.0 request"
    case .invalidTransferEncoding: "Transfer-Encoding is malformed"
    case .unsupportedTransferCoding: "the only transfer coding here is chunked"
    case .invalidConnection: "Connection is not a list of tokens"
    case .unsupportedExpectation: "the only expectation here is 100-continue"
    case .invalidChunkSize: "a chunk's size is not hexadecimal digits followed by CRLF"
    case .chunkSizeTooLarge: "a chunk's size is out of range"
    case .invalidChunkExtension: "a chunk extension is malformed"
    case .chunkExtensionsTooLarge: "the chunk extensions are too large"
    case .missingChunkEnd: "a chunk's data is not followed by CRLF"
    case .invalidTrailer: "a trailer field is malformed"
    case .forbiddenTrailer: "a trailer field frames, routes or describes the message"
    case .trailersTooLarge: "the trailer fields are too large"
    }
  }
}
