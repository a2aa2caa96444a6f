internal import PluginKit

/// Tokens that clients without an SDK say first, where the handshake has shown none.
extension FirstMessageCredential {
  /// The token of "auth", which is the first thing that a client of `/ws` says.
  static var auth: FirstMessageCredential {
    FirstMessageCredential(
      find: { message in
        do throws(PlainFrame.Fault) {
          let frame = try PlainFrame(Array(message.bytes))
          guard case .refresh(let token) = frame.request, !token.isEmpty else { return nil }
          return token
        } catch {
          throw HostError(.invalid, error.problem.detail)
        }
      }, refuse: refusal)
  }

  /// The token of the only thing that a client of the unidirectional WebSocket says: "auth" as at `/ws`, or Centrifugo's
  /// connect request, which has a token and no type.
  static var listener: FirstMessageCredential {
    FirstMessageCredential(
      find: { message in
        guard let opening = try? JSON.decode(Opening.self, from: Array(message.bytes)),
          opening.type == nil || opening.type == "auth"
        else { throw HostError(.invalid, "The first message is not \"auth\".") }
        return opening.token.flatMap { $0.isEmpty ? nil : $0 }
      }, refuse: refusal)
  }

  private struct Opening: Decodable {
    let type: String?
    let token: String?
  }

  private static func refusal(of message: Message?, because why: Status) -> SocketRefusal {
    let id = message.flatMap { message -> RawJSON? in
      do throws(PlainFrame.Fault) {
        return try PlainFrame(Array(message.bytes)).id
      } catch {
        return error.id
      }
    }
    switch why {
    case .unauthenticated:
      return .authRequired("The token is missing or not valid.", .invalid, id)
    case .notFound:
      let problem = Problem(
        status: 404, code: "plugin_not_enabled",
        detail: "The token's app has not switched this on.")
      return SocketRefusal(
        message: PlainMessage.error(problem, id: id), code: 3503, reason: "disabled")
    case .denied:
      return .authRequired(
        "The token may not be used here, or not from this origin.", .denied, id)
    case .expired: return .authRequired("The token has expired.", .expired, id)
    case .deadline: return .authRequired("Nothing was said in time.", .timeout, id)
    case .invalid, .tooLarge:
      return .authRequired(
        "The first message must be {\"type\":\"auth\",\"token\":…} where the handshake has shown no token.",
        .invalid, id)
    case .limited:
      let problem = Problem.rateLimited(
        "Too many connections are to be told apart. Try again later.")
      return SocketRefusal(
        message: PlainMessage.error(problem, id: id), code: 3013, reason: "too many requests")
    default:
      let problem = Problem.unavailable("Credentials cannot be checked now. Try again later.")
      return SocketRefusal(
        message: PlainMessage.error(problem, id: id), code: 3004,
        reason: "internal server error")
    }
  }
}

extension SocketRefusal {
  fileprivate static func authRequired(
    _ detail: String, _ why: PlainMessage.Reason, _ id: RawJSON?
  ) -> SocketRefusal {
    SocketRefusal(
      message: PlainMessage.authRequired(detail, why, id: id), code: 3500,
      reason: "invalid token")
  }
}
