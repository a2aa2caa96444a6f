internal import PluginKit

/// `POST /v1/publish` and `POST /v1/broadcast`: an app's server publishes.
extension RealtimeShard {
  private struct Publishing: Decodable {
    let channel: String
    let data: RawJSON
    let tags: RawJSON?
    let idempotencyKey: String?

    private enum CodingKeys: String, CodingKey {
      case channel, data, tags
      case idempotencyKey = "idempotency_key"
    }
  }

  private struct Broadcasting: Decodable {
    let channels: [String]
    let data: RawJSON
    let tags: RawJSON?
    let idempotencyKey: String?

    private enum CodingKeys: String, CodingKey {
      case channels, data, tags
      case idempotencyKey = "idempotency_key"
    }
  }

  /// What became of a broadcast in one channel: a position, or why not.
  private struct Outcome: Encodable {
    struct Failure: Encodable {
      let code: String
      let detail: String
    }

    let channel: String
    var offset: UInt64?
    var epoch: String?
    var error: Failure?
  }

  private struct Outcomes: Encodable { let data: [Outcome] }

  func publish(_ request: Request) async throws -> Response {
    let form: Publishing = try request.decode()
    let (name, options) = try await mayPublish(form.channel, request.principal, "/channel")
    let envelope = Envelope(data: form.data.bytes, tags: form.tags?.bytes)
    let key = form.idempotencyKey.map {
      PublicationKey($0, in: .body, of: request.principal, envelope)
    }
    return try .json(try await publish(envelope, in: name, options, key: key))
  }

  func broadcast(_ request: Request) async throws -> Response {
    let form: Broadcasting = try request.decode()
    let principal = request.principal
    let envelope = Envelope(data: form.data.bytes, tags: form.tags?.bytes)
    // A broadcast that was cut off goes on where it was when it is repeated: what names the request names each part.
    let key =
      form.idempotencyKey.map { PublicationKey($0, in: .body, of: principal, envelope) }
      ?? request.header("idempotency-key").map {
        PublicationKey($0, in: .header, of: principal, envelope)
      }
    if let key { try await refuseMismatch(key, form.channels) }
    var outcomes: [Outcome] = []
    for (index, channel) in form.channels.enumerated() {
      do {
        let (name, options) = try await mayPublish(channel, principal, "/channels/\(index)")
        let position = try await publish(envelope, in: name, options, key: key, isPart: true)
        outcomes.append(Outcome(channel: channel, offset: position.offset, epoch: position.epoch))
      } catch let problem as Problem {
        outcomes.append(
          Outcome(channel: channel, error: .init(code: problem.code, detail: problem.detail)))
      }
    }
    return try .json(Outcomes(data: outcomes))
  }

  /// What a channel is like, if an app's server may publish in it.
  ///
  /// - Throws: `Problem`, with `pointer` where the name is malformed.
  private func mayPublish(
    _ channel: String, _ principal: Principal, _ pointer: String
  ) async throws -> (ChannelName, NamespaceOptions) {
    let name: ChannelName
    do {
      name = try ChannelName(channel)
    } catch {
      throw Problem.invalid(pointer: pointer, error.message)
    }
    switch try await authority.ask(name, .publish, principal) {
    case .allowed(let options): return (name, options)
    case .denied(let reason): throw Problem.forbidden(reason)
    case .unowned:
      guard let options = rules.namespaces[name.namespace] else {
        throw Problem.notFound("There are no channels in the namespace \"\(name.namespace)\".")
      }
      return (name, options)
    }
  }
}
