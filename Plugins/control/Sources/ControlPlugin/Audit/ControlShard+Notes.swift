internal import PluginKit

/// What others on the platform have noted for the audit log: the host what the operator does by `sluice tenant`, plugins what
/// is done by their own routes.
extension ControlShard {
  /// The data of an event whose type ends in `audit.noted`.
  private struct Note: Decodable {
    /// An app's id, or "platform".
    var app: String
    var actorKind: String
    var actor: String
    var address: String
    var requestID: String
    var action: String
    var outcome: AuditRecord.Outcome
    var target: String?
    var before: RawJSON?
    var after: RawJSON?
    /// Why it has failed.
    var reason: String?

    enum CodingKeys: String, CodingKey {
      case app, actor, address, action, outcome, target, before, after, reason
      case actorKind = "actor_kind"
      case requestID = "request_id"
    }
  }

  /// Records a note, in the batch that settles its event: so each is in the log once.
  func noted(_ event: Event) async throws {
    let note: Note
    do {
      note = try event.decode()
    } catch {
      // It would come again for ever, and keep those behind it out of the log.
      context.log.error(
        "what was noted for the audit log cannot be read",
        ["type": event.type, "event": event.id, "error": "\(error)"])
      return
    }
    try await commit(
      Batch(),
      AuditRecord(
        id: try context.id.make("aud"), createdAt: event.time, app: note.app,
        actorKind: note.actorKind, actor: note.actor, address: note.address,
        requestID: note.requestID, action: note.action, outcome: note.outcome,
        target: note.target, before: note.before, after: note.after, reason: note.reason),
      by: nil, settling: event)
    if note.action == AuditRecord.deletedByOperator, note.outcome == .done,
      note.actorKind == AuditRecord.operatorKind
    {
      try await withdrawIfGone(note.app)
    }
  }
}
