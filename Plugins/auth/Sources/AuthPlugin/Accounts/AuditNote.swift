internal import PluginKit

/// Something that an operator does to the platform, or an owner to the account, for whoever keeps an audit log there: an event `auth.audit.noted`.
struct AuditNote: Encodable {
  enum Outcome: String, Encodable {
    /// About to be done outside of the database; a note with the same request tells how it ended.
    case begun
    case done
    /// It was begun and has not been done.
    case failed
  }

  let app = "platform"
  var actorKind: String
  var actor: String
  /// The peer's, without the port.
  var address: String
  var requestID: String
  /// "account.imported"
  var action: String
  var outcome: Outcome
  var target: String?
  /// Never with a secret in them.
  var before: RawJSON?
  var after: RawJSON?

  enum CodingKeys: String, CodingKey {
    case app, actor, address, action, outcome, target, before, after
    case actorKind = "actor_kind"
    case requestID = "request_id"
  }

  init(_ request: Request, _ action: String, _ outcome: Outcome = .done) {
    actorKind = request.principal.kind.rawValue
    actor = request.principal.id
    address = request.peer
    requestID = request.id
    self.action = action
    self.outcome = outcome
  }

  /// The event, to be committed with what it tells of.
  func emission() throws -> Emit { try Emit("auth.audit.noted", data: self) }
}
