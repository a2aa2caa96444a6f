internal import CSluice

/// What an error of a handler becomes: a problem document, or a status for which the host makes one.
enum ErrorAnswer {
  case problem(Problem)
  case status(Status)
  /// Nobody is there to be answered.
  case gone
  /// An error that the author did not expect, to be logged.
  case unexpected(any Error)

  init(_ error: any Error) {
    self =
      switch error {
      case let problem as Problem: .problem(problem)
      case let error as StoreError: ErrorAnswer(store: error)
      case let error as HostError: ErrorAnswer(host: error)
      case is RequestGone: .gone
      case is CancellationError: .status(.cancelled)
      default: .unexpected(error)
      }
  }

  private init(store error: StoreError) {
    self =
      switch error {
      case .conflict: .problem(.conflict("Somebody else has changed it, or it exists already."))
      // Wrong SQL is the plugin's mistake, not the client's.
      case .invalid, .denied, .failed: .unexpected(error)
      default: .status(error.status)
      }
  }

  private init(host error: HostError) {
    self =
      switch error.status {
      case .invalid, .internal, .stale, .unsupported, .wrongThread, .wrongState:
        .unexpected(error)
      default: .status(error.status)
      }
  }

  /// The code for callers that take no problem document.
  var status: sluice_status_t {
    switch self {
    case .problem(let problem): ErrorAnswer.status(ofHTTP: problem.status)
    case .status(let status): status.rawValue
    case .gone: SLUICE_E_CANCELLED
    case .unexpected: SLUICE_E_INTERNAL
    }
  }

  private static func status(ofHTTP status: Int) -> sluice_status_t {
    switch status {
    case 400: SLUICE_E_INVALID
    case 401: SLUICE_E_UNAUTHENTICATED
    case 403: SLUICE_E_DENIED
    case 404, 410: SLUICE_E_NOT_FOUND
    case 409: SLUICE_E_CONFLICT
    case 413: SLUICE_E_TOO_LARGE
    case 429: SLUICE_E_LIMITED
    case 503: SLUICE_E_UNAVAILABLE
    case 504: SLUICE_E_DEADLINE
    default: SLUICE_E_INTERNAL
    }
  }
}
