internal import CSluice

extension ShardContext {
  /// A request is in a phase: `sluice.phase-handler/1`.
  func run(phase handler: UInt32, _ token: sluice_token_t) -> sluice_status_t {
    guard handler < handlers.phaseCount, let shard else { return SLUICE_E_UNSUPPORTED }
    executor.enter()
    defer { executor.leave() }
    let request = Request(context: self, token: token)
    do {
      switch handlers.phases[Int(handler)].handler {
      case .synchronous(let function):
        guard let response = try function(shard, request) else { return SLUICE_OK }
        return respond(token, response)
      case .spectator(let function):
        try function(shard, request)
        return SLUICE_OK
      case .asynchronous(let function): return begin(phase: handler, token, shard, function)
      }
    } catch {
      return fail(phase: handler, token, error)
    }
  }

  /// Starts the task of an asynchronous handler; the request waits.
  @inline(never)
  private func begin(
    phase handler: UInt32, _ token: sluice_token_t, _ shard: AnyObject,
    _ function: @escaping (AnyObject, Request) async throws -> Response?
  ) -> sluice_status_t {
    // The task may hold what it reads now across its awaits.
    if let (http, host) = http { _ = http.pointee.keep(host, token) }
    requestTasks[token] = run { [self] in
      let status: sluice_status_t
      do {
        let response = try await function(shard, Request(context: self, token: token))
        status = response.map { respond(token, $0) } ?? proceed(token)
      } catch {
        status = fail(phase: handler, token, error)
      }
      requestTasks[token] = nil
      if status < 0 { answer(token, status) }
    }
    return SLUICE_PENDING
  }

  private func proceed(_ token: sluice_token_t) -> sluice_status_t {
    guard let (phases, host) = phases else { return SLUICE_E_DENIED }
    let status = phases.pointee.proceed(host, token)
    return status < 0 ? refused(status, "to let a request proceed", [:]) : SLUICE_OK
  }

  private func fail(
    phase handler: UInt32, _ token: sluice_token_t, _ error: any Error
  ) -> sluice_status_t {
    let part = handlers.phases[Int(handler)]
    guard case .spectator = part.handler else { return fail(token, error, part.name) }
    log.error("a handler failed", ["handler": part.name, "error": "\(error)"])
    return ErrorAnswer(error).status
  }
}
