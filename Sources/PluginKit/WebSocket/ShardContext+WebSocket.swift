internal import CSluice

extension ShardContext {
  /// A peer asks to connect: `sluice.websocket-handler/1`.
  func open(
    _ handler: UInt32, _ token: sluice_token_t, _ connection: sluice_token_t,
    _ context: UnsafeMutablePointer<UInt64>
  ) -> sluice_status_t {
    guard handler < handlers.socketCount, let shard else { return SLUICE_E_UNSUPPORTED }
    executor.enter()
    defer { executor.leave() }
    do {
      context.pointee = try handlers.sockets[Int(handler)].open(
        shard, Request(context: self, token: token),
        Connection(shard: self, token: connection, context: 0))
      return SLUICE_OK
    } catch {
      return refuse(error, token, handlers.plan.socketNames[Int(handler)])
    }
  }

  func message(
    _ handler: UInt32, _ context: UInt64, _ connection: sluice_token_t, _ kind: UInt32,
    _ message: sluice_slice_t
  ) {
    guard handler < handlers.socketCount, let shard = shardReference else { return }
    executor.enter()
    shard._withUnsafeGuaranteedRef { shard in
      handlers.listeners[Int(handler)]._withUnsafeGuaranteedRef { listener in
        listener.message(
          shard, Connection(shard: self, token: connection, context: context),
          Message(kind, message))
      }
    }
    executor.leave()
  }

  func closed(
    _ handler: UInt32, _ context: UInt64, _ connection: sluice_token_t, _ code: UInt32,
    _ reason: sluice_slice_t
  ) {
    guard handler < handlers.socketCount, let shard else { return }
    executor.enter()
    handlers.sockets[Int(handler)].closed(
      shard, Connection(shard: self, token: connection, context: context),
      CloseReason(code: Int(code), text: reason.text))
    executor.leave()
  }

  /// Refuses a handshake with what an error means.
  private func refuse(
    _ error: any Error, _ token: sluice_token_t, _ name: String
  ) -> sluice_status_t {
    let answer = ErrorAnswer(error)
    switch answer {
    case .problem(let problem): _ = send(problem, token)
    case .unexpected(let error):
      log.error("a socket's open failed", ["handler": name, "error": "\(error)"])
    case .status, .gone: break
    }
    return answer.status
  }
}
