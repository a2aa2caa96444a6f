internal import PluginKit

/// `POST /v1/disconnect` and `GET /v1/connections`: an app's server and the connections of its users, on all loops.
extension RealtimeShard {
  private struct Target: Decodable {
    let user: String
    let client: String?
  }

  private struct Closed: Encodable { let disconnected: Int }

  func disconnect(_ request: Request) async throws -> Response {
    let target: Target = try request.decode()
    let answers = try await link.ask(.disconnect(user: target.user, client: target.client))
    return try .json(Closed(disconnected: answers.reduce(0) { $0 + $1.closed }))
  }

  func connections(_ request: Request) async throws -> Response {
    let limit = try request.number("limit", 1...100) ?? 25
    let answers = try await link.ask(
      .list(user: request.query("user"), after: request.query("after"), limit: limit + 1))
    let all = answers.flatMap(\.connections).sorted { $0.client < $1.client }
    return try .json(
      Page(
        data: Array(all.prefix(limit)), next: all.count > limit ? all[limit - 1].client : nil))
  }

  private struct RevokedUser: Decodable {
    let user: String

    private enum CodingKeys: String, CodingKey {
      case user = "user_id"
    }
  }

  /// Closes this loop's connections of a user whose tokens are void, those that were opened up to `time`.
  func closeRevoked(_ data: [UInt8], at time: Timestamp) {
    guard let user = try? JSON.decode(RevokedUser.self, from: data).user else { return }
    wheel.each { client in
      if client.user.isExactly(user), client.openedAt <= time { end(client, .invalidToken) }
    }
    for subscriber in subscribers.values
    where subscriber.principal.id.isExactly(user) && subscriber.openedAt <= time {
      subscriber.end(.invalidToken)
    }
  }

  private struct Void: Decodable {
    let voidAt: Int64

    private enum CodingKeys: String, CodingKey {
      case voidAt = "void_at_ms"
    }
  }

  /// Has this loop's connections that were opened up to `time` end when their tokens are void, which they do not say themselves:
  /// what signed them has been changed. They may come back with new ones.
  func endIdentities(_ data: [UInt8], at time: Timestamp) {
    guard let end = try? JSON.decode(Void.self, from: data).voidAt,
      let now = try? context.clock.now().unixMilliseconds
    else { return }
    let second = (max(end, 0) + 999) / 1_000
    wheel.each { client in
      guard client.isOpen, client.openedAt <= time else { return }
      if end <= now { return self.end(client, .expired) }
      let known = client.conversation.expiresAt
      let bound = UInt32(clamping: second)
      client.conversation.expiresAt = known == 0 ? bound : min(known, bound)
    }
    for subscriber in subscribers.values where subscriber.openedAt <= time {
      if end <= now { subscriber.end(.expired) } else { bound(subscriber, by: second) }
    }
  }

  /// This loop's part of an answer.
  func answer(_ question: ShardLink.Question) -> ShardLink.Answer {
    var answer = ShardLink.Answer()
    switch question {
    case .disconnect(let user, let name):
      wheel.each { client in
        guard client.isOpen, client.user.isExactly(user), name == nil || name == client.name else {
          return
        }
        answer.closed += 1
        end(client, .forced)
      }
      for subscriber in subscribers.values
      where subscriber.principal.id.isExactly(user) && (name == nil || name == subscriber.name)
        && subscriber.stage != .ended
      {
        answer.closed += 1
        subscriber.end(.forced)
      }
    case .emulate(let session, let data): answer.isKnown = hear(data, in: session)
    case .list(let user, let after, let limit):
      var records: [ConnectionRecord] = []
      wheel.each { client in
        guard client.isOpen, user == nil || user == client.user, client.name > (after ?? "") else {
          return
        }
        records.append(
          ConnectionRecord(
            client: client.name, user: client.user, transport: client.transport,
            channels: client.conversation.seats.count, connectedAt: client.openedAt))
      }
      for subscriber in subscribers.values
      where (user == nil || user == subscriber.principal.id) && subscriber.name > (after ?? "")
        && subscriber.stage != .ended
      {
        records.append(
          ConnectionRecord(
            client: subscriber.name, user: subscriber.principal.id, transport: subscriber.transport,
            channels: subscriber.channels.count, connectedAt: subscriber.openedAt))
      }
      answer.connections = Array(records.sorted { $0.client < $1.client }.prefix(limit))
    }
    return answer
  }
}
