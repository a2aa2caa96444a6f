internal import PluginKit

/// What another plugin makes of an event before it goes out: `sluice.webhook-transform/1`.
enum Transformation {
  private struct Question: Encodable {
    struct Target: Encodable {
      let id: String
      let url: String
    }

    struct Event: Encodable {
      let id: String
      let type: String
      let timestamp: Timestamp
      let channel: String?
      let data: RawJSON
    }

    let endpoint: Target
    let event: Event
  }

  private struct Answer: Decodable {
    enum Action: String, Decodable { case pass, rewrite, drop }

    let action: Action
    let data: RawJSON?
  }

  /// The data that goes out; nil: nothing does.
  ///
  /// - Throws: what `Services.call` does; `HostError` `.unavailable` when the answer is none.
  static func data(of message: Message, for endpoint: Endpoint, _ context: ShardContext)
    async throws -> RawJSON?
  {
    let data = try Payload.data(of: message, isThin: endpoint.payload == .thin)
    let answer = try await context.services.call(
      "sluice.webhook-transform/1", method: 1,
      Question(
        endpoint: .init(id: endpoint.id, url: endpoint.url),
        event: .init(
          id: message.id, type: message.type, timestamp: message.at, channel: message.channel,
          data: data)), as: Answer.self)
    switch answer.action {
    case .pass: return data
    case .drop: return nil
    case .rewrite:
      guard let data = answer.data else {
        throw HostError(.unavailable, "the transformation rewrites, and does not say how")
      }
      return data
    }
  }
}
