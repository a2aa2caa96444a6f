internal import PluginKit

/// What clients of `/ws` are told, one JSON object per message.
enum PlainMessage {
  /// The first message: the connection is open, and whose it is.
  static func handshake(_ client: Client, app: String) -> [UInt8] {
    message("handshake_validation") { line in
      line.member("connection_id", client.name)
      line.member("user_id", client.user)
      line.member("app", app)
      line.member("time", client.openedAt.rfc3339)
    }
  }

  static let ping = message("ping") { _ in }

  /// What came of a command; nil when it is not answered.
  static func reply(_ reply: Reply, to command: Command, _ writer: EventWriter) -> [UInt8]? {
    switch reply {
    case .nothing: nil
    case .error(let error): self.error(error.described, id: command.tag)
    case .ping: message("pong", command.tag) { _ in }
    default:
      message("ack", command.tag) { line in
        if let channel = command.request.channel { line.member("channel", channel) }
        write(reply, writer, command.request.channel ?? "", &line)
        // Also where nothing is kept that could be given.
        if case .subscribe(let result) = reply, command.request.isRecovering {
          line.member("recovered", result.isRecovered)
        }
      }
    }
  }

  /// When a client may try again that is refused for now, in seconds: as the gateway's `Retry-After`, where nobody says better.
  static let pause = 5

  /// Why a credential is not taken, for programs.
  enum Reason: String {
    /// There is none, or it is not good: another one is needed.
    case invalid
    /// It was good: a new one of the same kind is.
    case expired
    /// It is good, and not for this.
    case denied
    /// The client has said nothing in time.
    case timeout
  }

  /// - Parameters:
  ///   - code: "AUTH_REQUIRED", or the problem's own.
  ///   - reason: why, where a credential is refused.
  static func error(
    _ problem: Problem, code: String? = nil, reason: Reason? = nil, id: RawJSON? = nil
  ) -> [UInt8] {
    message("error", id) { line in
      line.member("code", code ?? problem.code)
      line.member("detail", problem.detail)
      if let reason { line.member("reason", reason.rawValue) }
      if problem.status == 429 || problem.status == 503 { line.member("retry_after", pause) }
      guard !problem.errors.isEmpty else { return }
      line.array("errors", problem.errors) { line, fault in
        line.object { line in
          line.member("pointer", fault.pointer)
          line.member("message", fault.message)
        }
      }
    }
  }

  /// The credential is not good, or not any more.
  static func authRequired(
    _ detail: String, _ reason: Reason, id: RawJSON? = nil
  ) -> [UInt8] {
    error(.unauthenticated(detail), code: "AUTH_REQUIRED", reason: reason, id: id)
  }

  /// Something that the client should know and has not asked for.
  ///
  /// - Parameters:
  ///   - code: for programs.
  ///   - detail: for people.
  static func system(
    _ code: StaticString, _ detail: String, _ more: (inout JSONLine) -> Void = { _ in }
  ) -> [UInt8] {
    message("system_message") { line in
      line.member("code", "\(code)")
      line.member("detail", detail)
      more(&line)
    }
  }

  /// - Parameter second: Unix seconds.
  static func expiring(at second: Int64) -> [UInt8] {
    system(
      "token_expiring",
      "The token is about to expire. Send a new one: {\"type\":\"auth\",\"token\":…}."
    ) {
      $0.member("expires_at", Timestamp(unixMilliseconds: second * 1_000).rfc3339)
    }
  }

  /// The server has not subscribed the client to a channel that its token names.
  static func notSubscribed(_ channel: String, _ why: Problem) -> [UInt8] {
    system("not_subscribed", why.detail) { $0.member("channel", channel) }
  }

  static let draining = system(
    "draining",
    "The gateway or the app's plugins are being renewed. The connection will be closed: come back then."
  )

  /// The server has subscribed the client to a channel.
  static func subscribed(_ channel: String, _ result: SubscribeResult) -> [UInt8] {
    system("subscribed", "The connection listens to \(channel).") { line in
      line.member("channel", channel)
      write(result, &line)
    }
  }

  /// A subscription has ended by the server's doing.
  static func unsubscribed(_ code: UnsubscribeCode, from channel: String) -> [UInt8] {
    let (word, detail): (StaticString, String) =
      switch code {
      case .insufficientState:
        (
          "insufficient_state",
          "Events of \(channel) are missing that its history no longer has. Read the state anew and subscribe again."
        )
      case .expired:
        ("subscription_expired", "The token for \(channel) has expired. Subscribe with a new one.")
      default: ("unsubscribed", "The server has ended the subscription to \(channel).")
      }
    return system(word, detail) { $0.member("channel", channel) }
  }

  /// The connection is about to be closed.
  static func closing(_ close: CloseCode) -> [UInt8] {
    switch close {
    case .invalidToken: authRequired("The token is not valid.", .invalid)
    case .expired: authRequired("The token has expired. Come back with a new one.", .expired)
    default:
      system("closing", "The connection is closed: \(close.reason).") { line in
        line.member("close_code", close.code)
        line.member("reconnect", close.isTemporary)
      }
    }
  }

  private static func write(
    _ reply: Reply, _ writer: EventWriter, _ channel: String, _ line: inout JSONLine
  ) {
    switch reply {
    case .subscribe(let result): write(result, &line)
    case .publish(let position):
      guard position != .none else { return }
      line.member("offset", position.offset)
      line.member("epoch", position.epoch)
    case .presence(let clients):
      line.array("data", clients) { line, client in line.element(json: client.info) }
    case .presenceStats(let clients, let users):
      line.member("num_clients", clients)
      line.member("num_users", users)
    case .history(let events, let offset, let epoch):
      line.array("data", events) { line, event in
        line.element(json: writer.named(event, in: channel))
      }
      line.member("offset", offset)
      line.member("epoch", epoch)
    case .refresh(_, let ttl): line.lifetime(ttl)
    case .rpc(let data): line.member("data", json: data.bytes)
    case .connect, .unsubscribe, .ping, .error, .nothing, .subRefresh: break
    }
  }

  private static func write(_ result: SubscribeResult, _ line: inout JSONLine) {
    if result.isPositioned {
      line.member("offset", result.offset)
      line.member("epoch", result.epoch)
    }
    line.lifetime(result.ttl)
  }

  private static func message(
    _ type: StaticString, _ id: RawJSON? = nil, _ body: (inout JSONLine) -> Void
  ) -> [UInt8] {
    var line = JSONLine(keepsLines: true)
    line.object { line in
      line.member("type", "\(type)")
      if let id { line.member("id", json: id.bytes) }
      body(&line)
    }
    return line.bytes
  }
}
