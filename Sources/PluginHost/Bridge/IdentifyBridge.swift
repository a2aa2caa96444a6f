internal import CSluice
internal import Gateway

/// `sluice.identify/1` (ext/identify.h).
enum IdentifyBridge {
  /// Bytes of a credential at most.
  private static let limit = 65_536

  static let table = PermanentTable(
    sluice_identify_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_identify_v1_t>.size), reserved: 0,
      identify: { host, purpose, credential, connection, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let query: IdentityRequest.Query
        switch purpose {
        case SLUICE_CREDENTIAL_BEARER: query = .credential(.bearer)
        case SLUICE_CREDENTIAL_SUBSCRIPTION: query = .subscription
        default: return SLUICE_E_INVALID
        }
        guard credential.length <= limit else { return SLUICE_E_INVALID }
        guard connection == 0 || purpose == SLUICE_CREDENTIAL_BEARER else { return SLUICE_E_DENIED }
        guard let set = shard.set else { return SLUICE_E_WRONG_STATE }
        guard let provider = set.authenticator else { return SLUICE_E_UNAVAILABLE }
        let promise = shard.promise(completion, context)
        let request = IdentityRequest.json(query, credential.raw)
        // Later: the authenticator may be the caller itself, which must not be entered twice.
        shard.eventLoop.post {
          guard provider.isOpen else { return shard.keep(promise, SLUICE_E_CANCELLED) }
          shard.loop.identify(request, by: provider) { status, reply in
            switch IdentityRequest.answer(status, reply) {
            case .known(let principal):
              let status = connection == 0 ? SLUICE_OK : renew(connection, principal, shard)
              shard.keep(promise, status, status == SLUICE_OK ? reply : [])
            case .unknown, .denied: shard.keep(promise, SLUICE_E_UNAUTHENTICATED, reply)
            case .expired: shard.keep(promise, SLUICE_E_EXPIRED, reply)
            case .unavailable: shard.keep(promise, SLUICE_E_UNAVAILABLE)
            }
          }
        }
        return SLUICE_PENDING
      },
      forget: { host, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        let promise = shard.promise(completion, context)
        let (tenants, tenant) = (shard.loop.host.tenants!, shard.tenant)
        Task {
          await tenants.forgetIdentities(of: tenant)
          shard.keepLater(promise, SLUICE_OK, nil)
        }
        return SLUICE_PENDING
      }))

  /// Has a connection act on a new credential of whoever opened it.
  private static func renew(_ connection: UInt64, _ principal: Principal, _ shard: Shard) -> Int32 {
    guard let generation = shard.generation,
      let former = shard.gateway.sender(connection, of: generation)
    else { return SLUICE_E_STALE }
    guard former.kind == principal.kind, former.id == principal.id else { return SLUICE_E_DENIED }
    shard.gateway.renew(connection, principal, of: generation)
    return SLUICE_OK
  }

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_identify_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_identify_v1_t>.size), reserved: 0,
      identify: { host, purpose, credential, connection, completion, context in
        CallCheck.onLoop(host, "sluice.identify/1 identify")
          ?? table.pointer.pointee.identify(
            host, purpose, credential, connection, completion, context)
      },
      forget: { host, completion, context in
        CallCheck.onLoop(host, "sluice.identify/1 forget")
          ?? table.pointer.pointee.forget(host, completion, context)
      }))
}

extension ShardSet {
  /// The shard of the tenant's `sluice.authenticator/1`.
  var authenticator: Shard? {
    runtime.plan.provider(of: .authenticator).flatMap { self[$0] }
  }
}

extension LoopHost {
  /// Asks an authenticator; `answer` comes later on this loop, exactly once.
  func identify(
    _ request: [UInt8], by provider: Shard, answer: @escaping (Int32, [UInt8]) -> Void
  ) {
    request.withUnsafeBytes { request in
      callService(
        provider, "\(ServiceID.authenticator)", key: nil, method: SLUICE_AUTHENTICATOR_IDENTIFY,
        request: request, answer: answer)
    }
  }
}
