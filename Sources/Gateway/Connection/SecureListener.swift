public import TLS

typealias SecureListenerPointer = UnsafeMutablePointer<SecureListener>

/// One loop's share of a listener that speaks TLS. Confined to its loop; never freed, for connections refer to it.
struct SecureListener {
  let loop: LoopPointer
  /// What sessions begin with from now on; those that have begun keep theirs.
  var context: TLSContext
  /// The value of `strict-transport-security` in every answer (RFC 6797 §6.1).
  let transportSecurity: String?
}

/// How a listener speaks TLS.
public struct SecureListening: Sendable {
  /// Certificates and tickets, shared by all loops.
  public var context: TLSContext
  /// The value of `strict-transport-security` in every answer (RFC 6797 §6.1); nil for none.
  public var transportSecurity: String?

  /// - Parameter transportSecurity: the whole value of the field, such as "max-age=31536000".
  public init(context: TLSContext, transportSecurity: String? = nil) {
    self.context = context
    self.transportSecurity = transportSecurity
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Makes this loop's share of the next listener with TLS.
  func addSecureListener(_ listening: SecureListening) -> SecureListenerPointer {
    if pointee.transfer == nil { pointee.transfer = .make() }
    let listener = SecureListenerPointer.allocate(capacity: 1)
    listener.initialize(
      to: SecureListener(
        loop: self, context: listening.context, transportSecurity: listening.transportSecurity))
    pointee.secureListeners.append(listener)
    return listener
  }
}
