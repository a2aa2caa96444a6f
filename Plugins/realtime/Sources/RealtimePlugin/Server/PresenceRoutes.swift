internal import PluginKit

/// `GET /v1/presence/{channel}` and `GET /v1/presence_stats/{channel}`: an app's server asks who is in a channel.
extension RealtimeShard {
  private struct Member: Encodable {
    let client: String
    let user: String
    let joinedAt: Timestamp
    let info: RawJSON

    private enum CodingKeys: String, CodingKey {
      case client, user
      case joinedAt = "joined_at"
      case info
    }
  }

  private struct Stats: Encodable {
    let clients: Int
    let users: Int

    private enum CodingKeys: String, CodingKey {
      case clients = "num_clients"
      case users = "num_users"
    }
  }

  func presence(_ request: Request) async throws -> Response {
    let name = try channel(of: request)
    try await mayAskWhoIsIn(name, request.principal)
    let limit = try request.number("limit", 1...100) ?? 25
    let members = try await context.presence.members(
      of: name.text, after: request.query("after"), limit: limit + 1)
    return try .json(
      Page(
        data: members.prefix(limit).map {
          Member(client: $0.client, user: $0.user, joinedAt: $0.joinedAt, info: $0.info)
        },
        next: members.count > limit ? members[limit - 1].client : nil))
  }

  func presenceStats(_ request: Request) async throws -> Response {
    let name = try channel(of: request)
    try await mayAskWhoIsIn(name, request.principal)
    let stats = try await context.presence.stats(of: name.text)
    return try .json(Stats(clients: stats.clients, users: stats.users))
  }

  private func channel(of request: Request) throws -> ChannelName {
    do {
      return try ChannelName(try request.parameter(0))
    } catch let error as ChannelName.Malformed {
      throw Problem.invalid(pointer: "/path/channel", error.message)
    }
  }

  private func mayAskWhoIsIn(_ name: ChannelName, _ principal: Principal) async throws {
    switch try await authority.ask(name, .presence, principal) {
    case .allowed: break
    case .denied(let reason): throw Problem.forbidden(reason)
    case .unowned:
      guard let options = rules.namespaces[name.namespace] else {
        throw Problem.notFound("There are no channels in the namespace \"\(name.namespace)\".")
      }
      guard options.hasPresence else {
        throw Problem.notFound("It is not known who is in channels of this namespace.")
      }
    }
  }
}
