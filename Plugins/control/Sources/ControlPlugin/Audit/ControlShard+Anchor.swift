internal import PluginKit

/// Telling, while the gateway runs, that the end of the audit log was cut off.
extension ControlShard {
  /// The log has a new end. That it cannot be noted outside takes nothing back.
  func anchor(_ entry: AuditLink) async {
    do {
      var checked: AuditHead?
      // Each time round another loop has noted a later entry, which is then looked for too.
      while let known = try await note(entry, trusting: checked) {
        guard try await has(known) else { return tell(known) }
        checked = known
      }
    } catch {
      context.log.error(
        "the end of the audit log cannot be noted beside it",
        ["seq": entry.head.seq, "error": "\(error)"])
    }
  }

  /// Looks whether the log still has the entry that was noted last: also where nothing is written to it any more.
  func checkAnchor() async {
    do {
      let known = try await context.worker.run { [auditAnchor] in try auditAnchor.known() }
      if let known, try await !has(known) { tell(known) }
    } catch {
      guard context.isOpen else { return }
      context.log.error(
        "what was noted of the end of the audit log cannot be compared with it",
        ["error": "\(error)"])
    }
  }

  private func note(_ entry: AuditLink, trusting checked: AuditHead?) async throws -> AuditHead? {
    try await context.worker.run { [auditAnchor] in
      try auditAnchor.note(entry, trusting: checked)
    }
  }

  private func has(_ head: AuditHead) async throws -> Bool {
    let rows = try await context.store.read(
      "SELECT seq, hash FROM control_audit WHERE seq = \(head.seq)")
    return try rows.first?.decode(AuditHead.self) == head
  }

  private func tell(_ known: AuditHead) {
    context.log.error(
      "the audit log has lost records at its end, or is another one: it has no such record as was noted outside of it",
      ["seq": known.seq, "hash": known.hash, "file": AuditAnchor.file])
  }
}
