/// What the gateway asks of whoever owns tenants and plugins. All of it is called on loop threads and must not block.
public protocol TenantHost: AnyObject, Sendable {
  /// A tenant is wanted on a loop where it is not open: open it, then call ``GatewayLoop/opened(_:_:)``, or
  /// ``GatewayLoop/failedToOpen(_:_:reason:)``. Called once until one of them has come.
  func open(_ tenant: String, on loop: GatewayLoop)

  /// Asks the tenant's authenticator who a credential stands for. `answer` is called once on the loop's thread,
  /// possibly before this returns; nil is "nobody".
  func identify(
    _ kind: CredentialKind, _ credential: UnsafeRawBufferPointer, in generation: Generation,
    on loop: GatewayLoop,
    answer: @escaping (IdentityAnswer) -> Void)

  /// Asks whether a request with an `Idempotency-Key` may be carried out. `answer` is called once on the loop's thread,
  /// possibly before this returns.
  func claim(
    _ request: ClaimRequest, in generation: Generation, on loop: GatewayLoop,
    answer: @escaping (ClaimAnswer) -> Void)

  /// The interface of the tenant in OpenAPI 3.1; nil when there is no such tenant.
  func openAPI(tenant: String?) -> [UInt8]?

  /// New connections are shed from now on, or no longer. Of memory it is said again every ten seconds while it lasts.
  ///
  /// - Parameters:
  ///   - cause: memory of the process, or the lag of this one loop.
  ///   - value: bytes of resident memory, or milliseconds.
  func overload(_ cause: OverloadCause, isOver: Bool, _ value: Int, on loop: GatewayLoop)

  /// The process holds much that it has freed: give it back to the machine, from a thread that may wait.
  func returnFreedMemory()

  /// Adds the owner's numbers to `/metrics`.
  func addMetrics(to page: inout MetricsPage)
}

/// What an authenticator says.
public enum IdentityAnswer {
  case known(Principal)
  /// The credential is not good.
  case unknown
  /// The credential was good once.
  case expired
  /// The credential is genuine and not good all the same: why, for the client.
  case denied(String)
  /// It cannot be told now; the request is answered 503.
  case unavailable
}
