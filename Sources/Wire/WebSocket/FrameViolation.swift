/// Why a WebSocket connection must be failed (RFC 6455 §7.1.7).
public enum FrameViolation: UInt8, Error, Sendable, CaseIterable {
  case reservedBits
  case reservedOpcode
  case notMasked
  case masked
  case lengthNotMinimal
  case lengthTooLarge
  case controlFragmented
  case controlTooLong
  case continuationWithoutMessage
  case messageInsideMessage
  case messageTooBig
  case tooManyFrames
  case closeTooShort
  case invalidCloseCode
  case invalidCloseReason
  case invalidText
  case invalidCompression
  case compressionBusy

  /// The code to close with.
  public var closeCode: UInt16 {
    switch self {
    case .messageTooBig: CloseCode.messageTooBig
    case .tooManyFrames: CloseCode.policyViolation
    case .invalidCloseReason, .invalidText, .invalidCompression: CloseCode.invalidPayload
    case .compressionBusy: CloseCode.tryAgainLater
    default: CloseCode.protocolError
    }
  }

  /// What is wrong, for the close frame's reason: at most 123 bytes.
  public var message: StaticString {
    switch self {
    case .reservedBits: "a reserved bit is set and no extension was agreed on for it"
    case .reservedOpcode: "a reserved opcode"
    case .notMasked: "a client's frame is not masked"
    case .masked: "a server's frame is masked"
    case .lengthNotMinimal: "a payload length is not in its shortest form"
    case .lengthTooLarge: "a payload length does not fit 63 bits"
    case .controlFragmented: "a control frame is fragmented"
    case .controlTooLong: "a control frame has more than 125 bytes"
    case .continuationWithoutMessage: "a continuation without a message to continue"
    case .messageInsideMessage: "a new message before the last one ended"
    case .messageTooBig: "the message is too big"
    case .tooManyFrames: "the message has too many frames"
    case .closeTooShort: "a close frame of one byte"
    case .invalidCloseCode: "a close code that must not be sent"
    case .invalidCloseReason: "a close reason is not UTF-8"
    case .invalidText: "a text message is not UTF-8"
    case .invalidCompression: "a compressed message cannot be inflated"
    case .compressionBusy: "too many compressed messages are half received"
    }
  }
}
