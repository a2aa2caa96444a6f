internal import PluginKit

/// `/v1/event-types`: what endpoints may want.
extension WebhooksShard {
  /// `GET /v1/event-types?after=&limit=`
  func listEventTypes(_ request: Request) async throws -> Response {
    let limit = request.query("limit").flatMap { Int($0) } ?? 100
    let after = request.query("after") ?? ""
    // Types are ASCII: this is the order in which they come.
    let rest = try deliveredTypes().drop { $0.type <= after }
    return try .json(
      Page(rest.prefix(limit + 1).map { ShownEventType($0) }, limit: limit, next: \.type))
  }

  /// The data of a made-up event of a type.
  ///
  /// - Throws: `Problem` 400 at `/type` when there is no such type, or its plugin shows no example.
  func example(ofType type: String) throws -> RawJSON {
    guard let found = try deliveredTypes().first(where: { $0.type == type }) else {
      throw Problem.invalid(
        pointer: "/type", "There is no type \"\(type)\"; GET /v1/event-types tells which there are."
      )
    }
    guard let example = ShownEventType(found).examples.first else {
      throw Problem.invalid(pointer: "/type", "The type \"\(type)\" has no example to send.")
    }
    return example
  }

  /// All that listeners hear: what is told to sockets alone never goes out.
  private func deliveredTypes() throws -> [EventType] {
    try context.eventTypes().filter { !$0.isEphemeral }
  }
}
