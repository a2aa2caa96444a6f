internal import PluginKit

extension HostChange {
  /// What the log says of a change that a crash has ended.
  static let cutOff = "It was cut off when the gateway stopped, and is not in force."
}

/// Ending changes that were left: by a crash, or because their last record could not be committed.
extension ControlShard {
  private static let settledAtOnce = 100

  /// Ends every change that nobody is at work on. At the start these are the ones that a crash has left.
  func settleChanges() async throws {
    var last = ("", "")
    while true {
      let page = try await context.store.read(
        """
        SELECT app_id, \(raw: HostChange.columns) FROM control_changes
        WHERE app_id > \(last.0) OR (app_id = \(last.0) AND subject > \(last.1))
        ORDER BY app_id, subject LIMIT \(ControlShard.settledAtOnce)
        """)
      for row in page {
        last = (try row["app_id", String.self], try row["subject", String.self])
        do {
          _ = try await settleIfLeft(try HostChange(row))
        } catch {
          // One that cannot be settled keeps no other.
          context.log.error(
            "a change that was left cannot be settled",
            ["app": last.0, "subject": last.1, "error": "\(error)"])
        }
      }
      if page.count < ControlShard.settledAtOnce { return }
    }
  }

  /// Ends a change unless somebody is at work on it.
  ///
  /// - Returns: whether it has ended.
  func settleIfLeft(_ left: HostChange) async throws -> Bool {
    guard !changeDesk.isUnderway(left.id, of: left.owner), changeDesk.enter(left.id) else {
      return false
    }
    defer { changeDesk.leave(left.id) }
    var change = left
    do {
      // Another loop or another process may have found it too.
      try await context.store.commit(isApartFromRequest: true) { left.moving(to: changeDesk.owner) }
    } catch StoreError.conflict {
      return false
    }
    change.owner = changeDesk.owner
    return await settle(change, because: nil)
  }

  /// Looks at what the gateway has, and ends a change by it.
  ///
  /// - Parameter error: why it was given up; nil after a crash.
  /// - Returns: whether it has ended; if not, the next sweep or the next change of the subject does it.
  @discardableResult
  func settle(_ change: HostChange, because error: (any Error)?) async -> Bool {
    do {
      let finding: Finding
      if change.intent != nil, try context.tenants.plan(of: change.app) != nil {
        finding = try await look(at: change, because: error)
      } else {
        finding = .unmade
      }
      do {
        try await end(change, finding, because: error, isApartFromRequest: true)
      } catch StoreError.conflict {
        // Its rows have gone with the app.
        guard case .made = finding else { throw StoreError.cancelled }
        try await end(change, .unmade, because: error ?? ControlShard.unknownApp)
      }
      return true
    } catch {
      context.log.warning(
        "a change of an app cannot be settled now; it is tried again",
        ["app": change.app, "subject": change.subject.text, "error": "\(error)"])
      return false
    }
  }

  /// What of a change that was begun is in force; what is half made is made whole or taken back.
  private func look(at change: HostChange, because error: (any Error)?) async throws -> Finding {
    switch change.subject {
    case .app: try lookAtOrigins(change)
    case .branding: try await lookAtBranding(change, because: error)
    case .signingSecret: try await lookAtSigningSecret(change)
    case .key(let id): try await lookAtKey(id, change, because: error)
    case .plugin(let id): try lookAtPlugin(id, change)
    case .domain(let host): try await lookAtDomain(host, change)
    }
  }
}
