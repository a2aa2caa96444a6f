internal import CSluice

extension ShardContext {
  /// Has a responder reply to a call, at once or when it has awaited what it needs. Loop thread only.
  ///
  /// - Parameters:
  ///   - failed: the status and the bytes that the caller gets for an error.
  ///   - reply: hands status and bytes, which are borrowed, to the host.
  /// - Returns: what the host is to be told of the call.
  func respond<Call>(
    with responder: HandlerPlan.Responder<Call>, of shard: AnyObject, to call: Call,
    failed: @escaping (any Error) -> (status: sluice_status_t, bytes: [UInt8]),
    reply: @escaping (sluice_status_t, sluice_slice_t) -> sluice_status_t
  ) -> sluice_status_t {
    executor.enter()
    defer { executor.leave() }
    switch responder {
    case .synchronous(let function):
      do {
        let bytes = try function(shard, call)
        return bytes.withSlice { reply(SLUICE_OK, $0) }
      } catch {
        let failure = failed(error)
        _ = failure.bytes.withSlice { reply(failure.status, $0) }
        return SLUICE_OK
      }
    case .asynchronous(let function):
      keep { [self] in
        do {
          let bytes = try await function(shard, call)
          guard isOpen else { return }
          _ = bytes.withSlice { reply(SLUICE_OK, $0) }
        } catch {
          let failure = failed(error)
          guard isOpen else { return }
          _ = failure.bytes.withSlice { reply(failure.status, $0) }
        }
      }
      return SLUICE_PENDING
    }
  }
}
