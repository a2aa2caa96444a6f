internal import PluginKit

/// `GET|POST /connection/sse` and `POST /connection/http_stream`: the protocol for clients that have no WebSocket. The
/// request brings "connect", the answer is what the server says, and what the client says later comes to `/emulation`.
extension RealtimeShard {
  /// Bytes of a session's name, which nobody can guess.
  static let sessionBytes = 24

  func openEvents(_ request: Request) throws -> Response { try open(request, .sse) }

  func openLines(_ request: Request) throws -> Response { try open(request, .httpStream) }

  private func open(_ request: Request, _ format: LineStream.Format) throws -> Response {
    guard request.method != "HEAD" else {
      return .text("", contentType: "\(format.contentType)")
    }
    let commands: [Command]
    do {
      commands = try CommandFrame.opening(query: request.query("cf_connect"), Array(request.body))
    } catch {
      throw Problem.invalid("The first command is not a \"connect\" with an id.")
    }
    let session = try context.random.bytes(Self.sessionBytes).hexadecimal
    let client = try welcome(request.principal, session: session) {
      .stream(try makeStream(request, format))
    }
    if case .stream(let stream) = client.connection {
      stream.onEnd = { [unowned self] isSlow in
        if isSlow { slowStreams.add() }
        sessions[session] = nil
        closed(client: client)
      }
    }
    sessions[session] = client
    carryOut(commands, from: client)
    return .streamed
  }

  /// Begins an answer without an end.
  func makeStream(_ request: Request, _ format: LineStream.Format) throws -> LineStream {
    guard !isDraining else { throw Problem.unavailable("The gateway is about to end. Come back.") }
    return try LineStream(request, format, limit: settings.streamQueueBytes, in: context)
  }

  /// Ends all streams, as the host closes sockets.
  func endStreams(_ close: CloseCode) {
    isDraining = true
    wheel.each { client in
      if case .stream = client.connection { end(client, close) }
    }
    for subscriber in subscribers.values {
      if case .stream = subscriber.connection { subscriber.end(close) }
    }
  }
}

extension RequestCredential {
  /// The token of "connect", in the query or the body.
  static func connect(_ format: LineStream.Format) -> RequestCredential {
    RequestCredential(
      find: { query, body in
        let first = try CommandFrame.opening(query: query["cf_connect"], Array(body))[0]
        guard case .connect(let request) = first.request, let token = request.token, !token.isEmpty
        else { return nil }
        return .credential(token)
      },
      refuse: { query, body, why in
        // SDKs get a new token when they are told so in the protocol, and only then.
        guard why == .expired,
          let first = try? CommandFrame.opening(query: query["cf_connect"], Array(body))[0]
        else { return nil }
        return RequestRefusal(
          status: 200, contentType: format.contentType,
          body: format.frame(Reply.error(.tokenExpired).line(first.id))
            + format.farewell(.expired))
      })
  }
}
