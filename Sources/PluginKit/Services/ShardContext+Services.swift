internal import CSluice

extension ShardContext {
  /// A call of a service that the plugin provides: `sluice.service-provider/1`.
  func serve(_ call: ServiceCall, _ token: sluice_token_t) -> sluice_status_t {
    guard let shard,
      let method = handlers.plan.services.first(where: {
        $0.method == call.method && $0.service == call.service
      })
    else { return SLUICE_E_UNSUPPORTED }
    guard let (services, host) = link.find("sluice.services/1", sluice_services_v1_t.self) else {
      log.error("\(ExtensionUnavailable("sluice.services/1"))")
      return SLUICE_E_DENIED
    }
    return respond(
      with: method.handler, of: shard, to: call,
      failed: { [self] error in
        let (status, text) = failed(call, error)
        return (status, Array(text.utf8))
      },
      reply: { services.pointee.reply(host, token, $0, $1) })
  }

  /// The status and the words that the caller gets.
  private func failed(_ call: ServiceCall, _ error: any Error) -> (sluice_status_t, String) {
    let answer = ErrorAnswer(error)
    switch error {
    case let problem as Problem: return (answer.status, problem.detail)
    case let error as HostError: return (error.status.rawValue, error.text)
    case let error as JSONError: return (SLUICE_E_INVALID, "\(error)")
    default: break
    }
    if case .unexpected(let error) = answer {
      log.error(
        "a service failed",
        ["service": call.service, "method": call.method, "error": "\(error)"])
    }
    return (answer.status, "")
  }
}
