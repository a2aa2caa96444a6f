internal import CSluice

extension ShardContext {
  /// A request: `sluice.http-handler/1`.
  func handle(_ handler: UInt32, _ token: sluice_token_t) -> sluice_status_t {
    guard handler < handlers.routeCount, let shard = shardReference else {
      return SLUICE_E_UNSUPPORTED
    }
    executor.enter()
    defer { executor.leave() }
    guard let route = handlers.synchronousRoutes[Int(handler)] else {
      return begin(handler, token)
    }
    do {
      return try shard._withUnsafeGuaranteedRef { shard in
        try route._withUnsafeGuaranteedRef { route in
          respond(token, try route.call(shard, Request(context: self, token: token)))
        }
      }
    } catch {
      return fail(token, error, handlers.plan.routeNames[Int(handler)])
    }
  }

  /// Starts the task of an asynchronous handler.
  @inline(never)
  private func begin(_ handler: UInt32, _ token: sluice_token_t) -> sluice_status_t {
    guard let function = handlers.routes[Int(handler)].asynchronous, let shard else {
      return SLUICE_E_UNSUPPORTED
    }
    // The task may hold what it reads now across its awaits.
    if let (http, host) = http { _ = http.pointee.keep(host, token) }
    requestTasks[token] = run { [self] in
      let status: sluice_status_t
      do {
        // What the handler commits is the effect of this request, and says so.
        let response = try await CurrentRequest.$token.withValue(token) {
          try await function(shard, Request(context: self, token: token))
        }
        status = respond(token, response)
      } catch {
        status = fail(token, error, handlers.plan.routeNames[Int(handler)])
      }
      requestTasks[token] = nil
      if status < 0 { answer(token, status) }
    }
    return SLUICE_PENDING
  }

  /// Answers a pending request with what `answer` makes, or what it throws.
  func answer(_ token: sluice_token_t, _ answer: () throws -> Response) {
    let status: sluice_status_t
    do {
      status = respond(token, try answer())
    } catch {
      status = fail(token, error, Request(context: self, token: token).path)
    }
    if status < 0 { self.answer(token, status) }
  }

  /// The peer of a pending request is gone.
  func cancelled(_ token: sluice_token_t) {
    executor.enter()
    requestTasks.removeValue(forKey: token)?.cancel()
    pushStreams.removeValue(forKey: token)?.hasGone()
    executor.leave()
  }

  /// Sends an answer. Negative when the host did not take it.
  @inline(__always)
  func respond(_ token: sluice_token_t, _ response: Response) -> sluice_status_t {
    guard let (http, host) = http else { return SLUICE_E_DENIED }
    if let rest = response.rest { return respond(token, response.status, rest) }
    let status = http.pointee.respond(
      host, token, UInt32(response.code), response.contentTypeSlice, response.literalSlice)
    return status < 0 ? refusedAnswer(status, response.status) : SLUICE_OK
  }

  private func respond(
    _ token: sluice_token_t, _ code: Int, _ rest: Response.Rest
  ) -> sluice_status_t {
    guard let (http, host) = http else { return SLUICE_E_DENIED }
    for (name, value) in rest.fields {
      let status = name.withSlice { name in
        value.withSlice { http.pointee.set_header(host, token, name, $0) }
      }
      guard status >= 0 else {
        return refused(status, "a header field", ["field": name])
      }
    }
    func send(_ body: sluice_slice_t) -> sluice_status_t {
      rest.contentType.withSlice {
        http.pointee.respond(host, token, UInt32(clamping: code), $0, body)
      }
    }
    let status: sluice_status_t
    switch rest.body {
    case .empty: status = send(.absent)
    case .text(let text): status = text.withSlice { send($0) }
    case .bytes(let bytes): status = bytes.withSlice { send($0) }
    case .problem(let problem): return self.send(problem, token)
    case .streamed: return SLUICE_OK
    case .pending: return SLUICE_PENDING
    }
    return status < 0 ? refusedAnswer(status, code) : SLUICE_OK
  }

  @inline(never)
  private func refusedAnswer(_ status: sluice_status_t, _ code: Int) -> sluice_status_t {
    refused(status, "the answer", ["http_status": code])
  }

  /// What the host says of an answer that it did not take. A peer that is gone is no failure.
  func refused(
    _ status: sluice_status_t, _ what: String, _ fields: Log.Fields
  ) -> sluice_status_t {
    if status == SLUICE_E_STALE { return SLUICE_OK }
    log.error("the host refused \(what) of a handler, status \(status)", fields)
    return SLUICE_E_INTERNAL
  }

  /// Answers with a problem document.
  func send(_ problem: Problem, _ token: sluice_token_t) -> sluice_status_t {
    guard let (http, host) = http else { return SLUICE_E_DENIED }
    let errors = problem.errors.isEmpty ? nil : try? JSON.encode(problem.errors)
    let status = problem.code.withSlice { code in
      problem.detail.withSlice { detail in
        errors.withSlice {
          http.pointee.problem(
            host, token, UInt32(clamping: problem.status), code, detail, $0)
        }
      }
    }
    return status < 0 ? refused(status, "the problem", ["code": problem.code]) : SLUICE_OK
  }

  /// Answers with what an error means; negative when the host is to make the answer.
  func fail(
    _ token: sluice_token_t, _ error: any Error, _ handler: @autoclosure () -> String
  ) -> sluice_status_t {
    let answer = ErrorAnswer(error)
    switch answer {
    case .problem(let problem): return send(problem, token)
    case .status, .gone: return answer.status
    case .unexpected(let error):
      log.error("a handler failed", ["handler": handler(), "error": "\(error)"])
      return answer.status
    }
  }

  /// Answers a pending request with the problem that belongs to a status.
  func answer(_ token: sluice_token_t, _ status: sluice_status_t) {
    _ = send(Problem(status), token)
  }
}

extension Problem {
  /// What a request would be answered whose handler throws `error`; nil for an error that its author did not expect, and
  /// where nobody is there to be answered.
  public init?(of error: any Error) {
    switch ErrorAnswer(error) {
    case .problem(let problem): self = problem
    case .status(let status): self.init(status.rawValue)
    case .gone, .unexpected: return nil
    }
  }

  /// The problem that the host makes of a status (`sluice/status.h`), for requests that are pending.
  init(_ status: sluice_status_t) {
    self =
      switch status {
      case SLUICE_E_INVALID: .invalid("The request is not valid.")
      case SLUICE_E_DENIED: .forbidden("This is not yours to do.")
      case SLUICE_E_NOT_FOUND: .notFound("There is no such thing.")
      case SLUICE_E_CONFLICT: .conflict("Somebody else has changed it, or it exists already.")
      case SLUICE_E_UNAUTHENTICATED, SLUICE_E_EXPIRED:
        .unauthenticated("The credential is missing or not valid.")
      case SLUICE_E_TOO_LARGE:
        Problem(status: 413, code: "payload_too_large", detail: "It is over a stated bound.")
      case SLUICE_E_OVERLOADED:
        Problem(status: 503, code: "overloaded", detail: "Too much is waiting. Try again later.")
      case SLUICE_E_UNAVAILABLE, SLUICE_E_CANCELLED:
        .unavailable("What is needed is not there now. Try again later.")
      case SLUICE_E_STORAGE_FULL:
        Problem(
          status: 503, code: "storage_full", detail: "The disk is full. Nothing was written.")
      case SLUICE_E_DEADLINE:
        Problem(status: 504, code: "deadline_exceeded", detail: "Time ran out.")
      case SLUICE_E_LIMITED: .rateLimited("Too much in too short a time.")
      default:
        Problem(
          status: 500, code: "internal",
          detail: "Something broke. The log has more under this request's id.")
      }
  }
}
