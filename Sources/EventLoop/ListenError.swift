internal import Glibc

/// Why an address cannot be listened on; its text says what to do.
public enum ListenError: Error, Equatable, CustomStringConvertible {
  /// Another socket has the address.
  case addressInUse(address: String)
  /// The process may not bind the address.
  case permissionDenied(address: String)
  /// The machine does not have the address.
  case addressNotAvailable(address: String)
  /// The text is no address, or its host is not known.
  case badAddress(text: String, reason: String)
  /// Anything else.
  case failed(address: String, cause: SystemError)

  init(address: ListenAddress, operation: String, code: Int32) {
    let text = address.description
    switch code {
    case EADDRINUSE: self = .addressInUse(address: text)
    case EACCES, EPERM: self = .permissionDenied(address: text)
    case EADDRNOTAVAIL: self = .addressNotAvailable(address: text)
    default: self = .failed(address: text, cause: SystemError(operation, code: code))
    }
  }

  public var description: String {
    switch self {
    case .addressInUse(let address):
      "cannot listen on \(address): another program (or another instance of this one) uses it. "
        + "Stop that one (`ss -ltnp` names it) or choose another port"
    case .permissionDenied(let address):
      "cannot listen on \(address): permission denied. Choose a port above 1023, or grant this "
        + "program CAP_NET_BIND_SERVICE"
    case .addressNotAvailable(let address):
      "cannot listen on \(address): this machine does not have that address (`ip addr` lists "
        + "those it has; 0.0.0.0 means all)"
    case .badAddress(let text, let reason):
      "cannot listen on \"\(text)\": \(reason)"
    case .failed(let address, let cause):
      "cannot listen on \(address): \(cause)"
    }
  }
}
