internal import PluginKit

/// Why a command is refused, as the client is told in its reply. Codes and words are those of Centrifugo's client
/// protocol (centrifugal.dev, "Client protocol codes").
struct ProtocolError: Error, Equatable, Sendable {
  let code: UInt32
  var message: String
  /// Whether the same command may succeed later.
  var isTemporary = false
  /// What whoever refused it says; nil where there is no more to it than the code.
  var problem: Problem?

  /// Something broke here.
  static let `internal` = ProtocolError(
    code: 100, message: "internal server error", isTemporary: true)
  static let unauthorized = ProtocolError(code: 101, message: "unauthorized")
  /// The channel's namespace belongs to nobody.
  static let unknownChannel = ProtocolError(code: 102, message: "unknown channel")
  static let permissionDenied = ProtocolError(code: 103, message: "permission denied")
  /// Nobody answers this call.
  static let methodNotFound = ProtocolError(code: 104, message: "method not found")

  static func unknownMethod(_ type: String) -> ProtocolError {
    var error = methodNotFound
    error.problem = .notFound("Nobody takes messages of the type \"\(type)\".")
    return error
  }
  static let alreadySubscribed = ProtocolError(code: 105, message: "already subscribed")
  /// The connection listens to as many channels as it may.
  static let limitExceeded = ProtocolError(code: 106, message: "limit exceeded")
  static let badRequest = ProtocolError(code: 107, message: "bad request")
  /// The channel does not offer this.
  static let notAvailable = ProtocolError(code: 108, message: "not available")
  /// The client is to get a new token and come again.
  static let tokenExpired = ProtocolError(code: 109, message: "token expired")
  static let expired = ProtocolError(code: 110, message: "expired")
  /// Too many commands of the connection are under way.
  static let tooManyRequests = ProtocolError(
    code: 111, message: "too many requests", isTemporary: true)
  /// What was missed is in the history no more, and the client wants to hear of it as an error.
  static let unrecoverablePosition = ProtocolError(code: 112, message: "unrecoverable position")
}

extension ProtocolError {
  /// Whether the client has said what makes no sense.
  var isClientsMistake: Bool { self == .badRequest || code == 104 || code == 107 }

  /// The same, for clients that know HTTP's problems and not the protocol's codes.
  var described: Problem {
    if let problem { return problem }
    return switch code {
    case 101: .unauthenticated("The token is not good.")
    case 109, 110: .unauthenticated("The token has expired.")
    case 102: .notFound("There are no channels of this namespace.")
    case 103: .forbidden("You may not do this here.")
    case 104: .notFound("Nobody takes messages of this type.")
    case 105: .conflict("The connection listens to this channel already.")
    case 106:
      Problem(
        status: 403, code: "quota_exceeded",
        detail: "The connection listens to as many channels as it may.")
    case 107: .invalid("This is not what is expected here.")
    case 108: .notFound("The channel does not offer this.")
    case 111: .rateLimited("Too many of the connection's messages are under way.")
    case 112: .gone("What was missed is in the history no more.")
    default: Problem(status: 500, code: "internal", detail: "Something broke. Try again.")
    }
  }

  /// What a problem of another plugin, or of the host, is in the protocol. What the protocol has no code for has the
  /// problem's HTTP status, in the range that the protocol leaves to applications.
  init(_ problem: Problem) {
    switch problem.status {
    case 400:
      self = .badRequest
      message = ([problem.detail] + problem.errors.map { "\($0.pointer): \($0.message)" })
        .joined(separator: " ")
    case 401: self = .unauthorized
    case 403: self = problem.code == "quota_exceeded" ? .limitExceeded : .permissionDenied
    case 429: self = .tooManyRequests
    case 402..<500:
      self.init(code: UInt32(problem.status), message: problem.detail)
    case 503, 504:
      self.init(code: UInt32(problem.status), message: problem.detail, isTemporary: true)
    default: self = .internal
    }
    self.problem = problem
  }
}

/// Why a subscription ends by the server's doing: below 2500 for good, from 2500 on the client subscribes again.
struct UnsubscribeCode: Equatable, Sendable {
  let code: UInt32
  let reason: String

  static let server = UnsubscribeCode(code: 2000, reason: "server unsubscribe")
  /// Publications were missed that the history no longer has.
  static let insufficientState = UnsubscribeCode(code: 2500, reason: "insufficient state")
  /// The subscription's token has run out.
  static let expired = UnsubscribeCode(code: 2501, reason: "subscription expired")
}
