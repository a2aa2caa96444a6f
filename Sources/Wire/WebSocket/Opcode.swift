/// What a frame carries, RFC 6455 §5.2.
public enum Opcode: UInt8, Sendable {
  case continuation = 0
  case text = 1
  case binary = 2
  case close = 8
  case ping = 9
  case pong = 10
}

/// Close codes of RFC 6455 §7.4.1 that a server sends.
public enum CloseCode {
  /// The work is done, or the peer's close is answered.
  public static let normal: UInt16 = 1000
  /// The server stops; the client may come back.
  public static let goingAway: UInt16 = 1001
  /// A frame that is against RFC 6455.
  public static let protocolError: UInt16 = 1002
  /// A kind of message that the endpoint does not take.
  public static let unsupportedData: UInt16 = 1003
  /// A text that is not UTF-8, or compressed data that cannot be read.
  public static let invalidPayload: UInt16 = 1007
  /// A rule of the endpoint was broken, and no other code fits.
  public static let policyViolation: UInt16 = 1008
  /// A message above the endpoint's bound.
  public static let messageTooBig: UInt16 = 1009
  /// A fault of the server.
  public static let internalError: UInt16 = 1011
  /// The server is short of something; try again later.
  public static let tryAgainLater: UInt16 = 1013

  /// Whether a close frame may carry `code`: the registered ones but 1004, 1005, 1006 and 1015, which
  /// never travel, and 3000 to 4999 for libraries and applications (RFC 6455 §7.4.2).
  public static func isValid(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
