internal import PluginKit

/// Asks the plugin that owns a namespace who may do what in its channels:
/// `sluice.channel-authority/1`, method 1.
struct ChannelAuthority {
  enum Action: String, Encodable { case subscribe, history }

  enum Verdict: Equatable {
    case allowed
    /// With the owner's reason, for people.
    case denied(String)
    /// Nobody owns the namespace.
    case unknownNamespace
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
    let allow: Bool
    let reason: String?
  }

  private let context: ShardContext

  init(_ context: ShardContext) {
    self.context = context
  }

  /// - Throws: what the owner or the way to it failed with.
  func ask(
    _ channel: ChannelName, _ action: Action, _ principal: Principal
  ) async throws -> Verdict {
    let query = Query(
      channel: channel.text, action: action,
      principal: Query.Who(kind: principal.kind, id: principal.id, scopes: principal.scopes))
    do {
      let reply: Reply = try await context.services.call(
        "sluice.channel-authority/1", key: channel.namespace, method: 1, query)
      return reply.allow ? .allowed : .denied(reply.reason ?? "You may not do this here.")
    } catch let error as HostError where error.status == .notFound {
      return .unknownNamespace
    }
  }
}
