internal import PluginKit

/// Who may do what in `chat:{type}:{id}`: `sluice.channel-authority/1`, method 1.
struct AuthorityQuestion: Decodable {
  struct Who: Decodable {
    let kind: Principal.Kind
    let id: String
    let scopes: [String]
  }

  /// What a route asks of whoever reads messages; a socket is no way around it.
  static let scope = "messages.read"

  let channel: String
  let action: String
  let principal: Who
}

struct AuthorityAnswer: Encodable, Equatable {
  /// Of a subscription.
  struct Options: Encodable, Equatable {
    /// Whether it is known who listens.
    let presence: Bool
  }

  let allow: Bool
  /// For people; absent when it is allowed.
  var reason: String?
  var options: Options?

  static let allowed = AuthorityAnswer(allow: true)

  static func denied(_ reason: String) -> AuthorityAnswer {
    AuthorityAnswer(allow: false, reason: reason)
  }
}

extension ChatShard {
  func answer(_ question: AuthorityQuestion) async throws -> AuthorityAnswer {
    guard let address = ChannelAddress(realTimeName: question.channel) else {
      return .denied("A channel of chat is called chat:{type}:{id}.")
    }
    let actor: AppActor
    switch question.principal.kind {
    case .user: actor = .user(question.principal.id)
    case .key: actor = .server
    case .anonymous, .account: return .denied("Chat is for an app's users and its server.")
    }
    switch question.action {
    case "subscribe", "history", "presence":
      let scopes = question.principal.scopes
      guard scopes.contains(AuthorityQuestion.scope) || scopes.contains("*") else {
        return .denied("The credential lacks the scope \(AuthorityQuestion.scope).")
      }
      let type: ChannelType
      do {
        type = try types[address.type]
      } catch let problem as Problem {
        return .denied(problem.detail)
      }
      let isListed = !type.missing.contains(.presence)
      let allowed =
        question.action == "subscribe" && isListed
        ? AuthorityAnswer(allow: true, options: .init(presence: true)) : .allowed
      let access = try await access(actor, address, type)
      // A server may listen for what is to come; of a channel that nobody has made there is nothing yet.
      if actor == .server, access.channel == nil { return allowed }
      do {
        if question.action == "presence" { try type.require(.presence, in: address) }
        try access.require(.readChannel)
      } catch let problem as Problem {
        return .denied(problem.detail)
      }
      return allowed
    case "publish":
      return .denied("Messages are sent with POST /v1/channels/{type}/{id}/messages.")
    default:
      return .denied("Chat does not offer \"\(question.action)\".")
    }
  }
}
