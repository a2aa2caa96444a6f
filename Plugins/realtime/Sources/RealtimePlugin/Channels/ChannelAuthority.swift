internal import PluginKit

/// Asks the plugin that owns a namespace who may do what in its channels:
/// `sluice.channel-authority/1`, method 1.
final class ChannelAuthority {
  enum Action: String, Encodable { case subscribe, publish, presence, history }

  enum Verdict: Equatable {
    /// With what the owner says of the channel.
    case allowed(NamespaceOptions)
    /// With the owner's reason, for people.
    case denied(String)
    /// No plugin owns the namespace.
    case unowned
  }

  private struct Query: Encodable {
    struct Who: Encodable {
      let kind: Principal.Kind
      let id: String
      let scopes: [String]
    }

    let channel: String
    let action: Action
    let principal: Who
  }

  private struct Reply: Decodable {
    struct Options: Decodable {
      let presence: Bool?
      let joinLeave: Bool?

      private enum CodingKeys: String, CodingKey {
        case presence
        case joinLeave = "join_leave"
      }
    }

    let allow: Bool
    let reason: String?
    let options: Options?
  }

  private let context: ShardContext

  init(_ context: ShardContext) {
    self.context = context
  }

  /// - Throws: what the owner or the way to it failed with.
  func ask(
    _ channel: ChannelName, _ action: Action, _ principal: Principal
  ) async throws -> Verdict {
    guard !channel.namespace.isEmpty else { return .unowned }
    let query = Query(
      channel: channel.text, action: action,
      principal: Query.Who(kind: principal.kind, id: principal.id, scopes: principal.scopes))
    do {
      let reply: Reply = try await context.services.call(
        "sluice.channel-authority/1", key: channel.namespace, method: 1, query)
      guard reply.allow else { return .denied(reply.reason ?? "You may not do this here.") }
      return .allowed(
        .foreign(
          hasPresence: reply.options?.presence ?? false,
          hasJoinLeave: reply.options?.joinLeave ?? false))
    } catch let error as HostError where error.status == .notFound {
      return .unowned
    }
  }
}
