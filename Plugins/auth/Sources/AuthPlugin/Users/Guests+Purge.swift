internal import PluginKit

/// Guests whose time is over are forgotten, whether another comes or not.
extension Users {
  /// How often it is looked for them besides when the app is opened, in milliseconds.
  static let purgePause = 21_600_000
  /// How many go in one batch.
  private static let purged = 100

  /// Looks now and from time to time.
  func beginForgettingGuests() {
    let purge = { [unowned self] in
      _ = context.spawn { [self] in
        do {
          try await forgetGuests()
        } catch {
          guard context.isOpen else { return }
          context.log.warning(
            "guests whose time is over are forgotten later", ["error": "\(error)"])
        }
      }
    }
    purge()
    do {
      try context.timers.every(milliseconds: Users.purgePause, purge)
    } catch {
      context.log.error(
        "guests whose time is over are forgotten when the app is opened next", ["error": "\(error)"]
      )
    }
  }

  private func forgetGuests() async throws {
    let now = try now()
    // Most apps have none, and nothing is written for them.
    while try await !context.store.read(
      "SELECT 1 FROM auth_users WHERE guest_until IS NOT NULL AND guest_until <= \(now) LIMIT 1"
    ).isEmpty {
      try await context.store.commit(isApartFromRequest: true) { Users.forgetting(before: now) }
    }
  }

  /// Forgets some of the guests whose time was over before `now`.
  static func forgetting(before now: Timestamp) -> SQL {
    SQL(
      """
      DELETE FROM auth_users WHERE id IN (SELECT id FROM auth_users
        WHERE guest_until IS NOT NULL AND guest_until <= \(now) LIMIT \(purged))
      """)
  }
}
