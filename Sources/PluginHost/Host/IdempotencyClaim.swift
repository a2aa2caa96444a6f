internal import Gateway
internal import Store
internal import Synchronization
internal import Wire

/// The requests with an `Idempotency-Key` that are being carried out, on all loops. [any-thread]
final class RequestsUnderWay: Sendable {
  struct Key: Hashable {
    let tenant: String
    let principal: String
    let key: String
  }

  private let keys = Mutex<Swift.Set<Key>>([])

  /// Whether nobody else is at it.
  func enter(_ key: Key) -> Bool { keys.withLock { $0.insert(key).inserted } }

  func leave(_ key: Key) { keys.withLock { _ = $0.remove(key) } }
}

/// The right to carry one request out, and the record of it in the tenant's file.
final class IdempotencyClaim: RequestClaim {
  private let host: Host
  private let key: RequestsUnderWay.Key
  /// What each batch of the request carries.
  let record: RequestRecord
  private let isHeld = Atomic<Bool>(true)

  init(_ host: Host, _ key: RequestsUnderWay.Key, fingerprint: [UInt8]) {
    self.host = host
    self.key = key
    record = RequestRecord(
      principal: key.principal, key: key.key, fingerprint: fingerprint,
      claim: Array(host.identifier("clm").utf8))
  }

  deinit { release() }

  func release() {
    if isHeld.exchange(false, ordering: .acquiringAndReleasing) { host.underWay.leave(key) }
  }

  func keep(_ answer: KeptAnswer?, status: Int, then: @escaping @Sendable () -> Void) {
    // A full disk must not keep an answer from its client: what was committed has its record already.
    let sealed = answer.flatMap { answer in
      answer.body.withUnsafeBytes {
        try? host.registry.sealing.seal($0, tenant: key.tenant, name: Self.sealName(key))
      }
    }
    let batch = Batch(
      owner: Owner.host,
      statements: record.answered(
        status: status, contentType: String(decoding: answer?.contentType ?? [], as: UTF8.self),
        answer: sealed, now: host.store.options.now()))
    do throws(StoreError) {
      try host.store.submit(tenant: key.tenant, batch: batch) { [self] result in
        guard case .failure(let error) = result else { return finish(then) }
        hasFailed(error, answer, status: status, then: then)
      }
    } catch {
      hasFailed(error, answer, status: status, then: then)
    }
  }

  private func hasFailed(
    _ error: StoreError, _ answer: KeptAnswer?, status: Int, then: @escaping @Sendable () -> Void
  ) {
    noteFailure(error)
    // Without any record a repeat would be carried out again.
    if error.code == .tooLarge, answer != nil { return keep(nil, status: status, then: then) }
    finish(then)
  }

  private func finish(_ then: @Sendable () -> Void) {
    release()
    then()
  }

  private func noteFailure(_ error: StoreError) {
    host.log.write(
      .warning, "an answer could not be kept for repeats of its request",
      fields: ["tenant": .string(key.tenant), "error": .string(error.message)])
  }

  fileprivate static func sealName(_ key: RequestsUnderWay.Key) -> String {
    "answer \(key.principal) \(key.key)"
  }
}

extension Host {
  func claim(
    _ request: ClaimRequest, in generation: Generation, on loop: GatewayLoop,
    answer: @escaping (ClaimAnswer) -> Void
  ) {
    let tenant = unsafeDowncast(generation.context, to: ShardSet.self).runtime.tenant
    let key = RequestsUnderWay.Key(
      tenant: tenant, principal: request.principal, key: request.key)
    guard underWay.enter(key) else { return answer(.underWay) }
    let claim = IdempotencyClaim(self, key, fingerprint: request.fingerprint.bytes)
    let reply = OnLoop(answer)
    do throws(StoreError) {
      try store.read(
        tenant: tenant, owner: Owner.host,
        statements: [
          RequestRecord.reading(
            principal: key.principal, key: key.key, now: store.options.now())
        ]
      ) { [self] result in
        let verdict = verdict(on: claim, key, result)
        loop.eventLoop.post { reply.body(verdict) }
      }
    } catch {
      claim.release()
      answer(.unavailable)
    }
  }

  /// What the tenant's file says of a key. [store's thread]
  private func verdict(
    on claim: IdempotencyClaim, _ key: RequestsUnderWay.Key, _ result: Result<RowBlock, StoreError>
  ) -> ClaimAnswer {
    guard case .success(let block) = result, let rows = try? block.decoded().first else {
      claim.release()
      return .unavailable
    }
    guard !rows.rows.isEmpty else { return .claimed(claim) }
    claim.release()
    guard rows[0, "fingerprint"] == .blob(claim.record.fingerprint) else { return .mismatch }
    guard case .integer(let status)? = rows[0, "status"],
      case .text(let type)? = rows[0, "content_type"], case .blob(let sealed)? = rows[0, "answer"],
      let body = try? registry.sealing.open(
        sealed, tenant: key.tenant, name: IdempotencyClaim.sealName(key))
    else { return .lost }
    return .answered(
      KeptAnswer(
        status: Int(status), contentType: Array(type.utf8), body: body.withBytes { Array($0) }))
  }
}

/// A function that belongs to a loop, carried through another thread.
///
/// `@unchecked Sendable`: made and called on the loop's thread.
private struct OnLoop: @unchecked Sendable {
  let body: (ClaimAnswer) -> Void

  init(_ body: @escaping (ClaimAnswer) -> Void) { self.body = body }
}

extension Shard {
  /// The record that a batch carries which names a request; nil where that has no `Idempotency-Key`. [loop-thread]
  func record(of request: UInt64) -> RequestRecord? {
    guard request != 0, let generation else { return nil }
    return (gateway.claim(request, of: generation) as? IdempotencyClaim)?.record
  }
}
