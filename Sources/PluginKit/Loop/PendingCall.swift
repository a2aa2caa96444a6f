internal import CSluice

/// A call to the host whose completion has not come.
///
/// The host holds it as a number; the shard's context finds it in a list, so that closing can end what the
/// host did not. Loop thread only.
final class PendingCall {
  private let context: ShardContext
  private var finish: ((sluice_status_t, sluice_slice_t) -> Void)?
  // The list, in no particular order. A call that is in it is held by the host.
  private unowned(unsafe) var previous: PendingCall?
  private unowned(unsafe) var next: PendingCall?

  init(_ context: ShardContext, _ finish: @escaping (sluice_status_t, sluice_slice_t) -> Void) {
    self.context = context
    self.finish = finish
    next = context.pendingCall
    next?.previous = self
    context.pendingCall = self
  }

  /// The completion: runs what it resumes before it returns to the host.
  func complete(_ status: sluice_status_t, _ result: sluice_slice_t) {
    let executor = context.executor
    executor.enter()
    end(status, result)
    executor.leave()
  }

  /// Ends the call, once.
  func end(_ status: sluice_status_t, _ result: sluice_slice_t) {
    guard let finish else { return }
    self.finish = nil
    if let previous { previous.next = next } else { context.pendingCall = next }
    next?.previous = previous
    finish(status, result)
  }
}

/// The completion of every call. The host calls it exactly once, on the shard's loop.
func pendingCallCompleted(_ call: UInt64, _ status: sluice_status_t, _ result: sluice_slice_t) {
  Unmanaged<PendingCall>.from(context: call)?.takeRetainedValue().complete(status, result)
}

extension ShardContext {
  /// Makes a call to the host and waits for its completion.
  ///
  /// - Parameters:
  ///   - done: which status of the call itself says that no completion will come; a negative one
  ///     always does.
  ///   - start: makes the call with the completion and the number given.
  ///   - finish: makes a value of status and result, which is borrowed.
  func call<Value: Sendable>(
    endingWith done: sluice_status_t? = nil,
    _ start: (sluice_completion_fn, UInt64) -> sluice_status_t,
    finish: @escaping (sluice_status_t, sluice_slice_t) throws -> Value
  ) async throws -> Value {
    guard isOpen else { throw HostError(.cancelled, "The shard is closed.") }
    return try await withUnsafeThrowingContinuation { continuation in
      begin(endingWith: done, start) { status, result in
        continuation.resume(with: Result { try finish(status, result) })
      }
    }
  }

  /// Makes a call to the host; `finish` is told of its completion, once, and before this returns where none will come.
  func begin(
    endingWith done: sluice_status_t? = nil,
    _ start: (sluice_completion_fn, UInt64) -> sluice_status_t,
    finish: @escaping (sluice_status_t, sluice_slice_t) -> Void
  ) {
    let call = PendingCall(self, finish)
    let reference = Unmanaged.passRetained(call)
    let status = start(pendingCallCompleted, UInt64(UInt(bitPattern: reference.toOpaque())))
    if status < 0 || status == done {
      // The completion does not come.
      reference.release()
      call.end(status, .absent)
    }
  }

  /// As the other, for a result of bytes.
  func call(
    _ start: (sluice_completion_fn, UInt64) -> sluice_status_t
  ) async throws -> [UInt8] {
    try await call(start) { status, result in
      guard status >= 0 else { throw HostError(Status(rawValue: status), result.text) }
      return Array(Bytes(result))
    }
  }

  /// As the other, for a call that has no result.
  func callForStatus(
    _ start: (sluice_completion_fn, UInt64) -> sluice_status_t
  ) async throws {
    let _: [UInt8] = try await call(start)
  }

  /// As the other, for the store.
  func callStore(
    _ start: (
      UnsafePointer<sluice_store_v1_t>, UnsafePointer<sluice_host_v1_t>, sluice_completion_fn,
      UInt64
    ) -> sluice_status_t
  ) async throws -> RowBlock {
    let (store, host) = try link.require("sluice.store/1", sluice_store_v1_t.self)
    return try await call {
      start(store, host, $0, $1)
    } finish: { status, result in
      try RowBlock(of: result, status)
    }
  }

  /// Ends what the host did not complete. Loop thread, when the shard closes.
  func cancelPendingCalls() {
    while let call = pendingCall { call.end(SLUICE_E_CANCELLED, .absent) }
  }
}
