internal import PluginKit

/// `GET /v1/channels/{type}/{id}/messages?before=&after=&around=&limit=` and `GET /v1/messages/{id}`
extension ChatShard {
  func listMessages(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let limit = try request.limit()
    let start = try MessageStart(request)
    let actor = try AppActor(request.principal)
    try await admit(actor, to: address, type, for: .readChannel)
    return try .json(
      try await page(
        start, of: .channel(address), in: address, limit: limit, for: actor.user,
        with: actor.user.map { HeldList(address: address, user: $0) }))
  }

  func readMessage(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let actor = try AppActor(request.principal)
    do {
      let found = try await find(message: id, for: actor)
      return try .json(try await shown(found.message, to: actor.user))
    } catch let problem as Problem where problem.status == 404 {
      guard let held = try await held(id, by: actor) else { throw problem }
      return try .json(held)
    }
  }
}
