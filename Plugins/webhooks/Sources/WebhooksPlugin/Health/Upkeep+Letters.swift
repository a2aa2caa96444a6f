internal import PluginKit

/// E-mails to whom the app's settings name: that an endpoint fails, and that it was disabled.
extension Upkeep {
  /// How long the mailer is asked again for, in milliseconds.
  private static let patience: Int64 = 86_400_000

  private struct Letter: Encodable {
    let to: String
    let subject: String
    let text: String
    let category = "webhooks"
    let key: String
    let values: [String: String]
  }

  private struct Sent: Decodable {
    let id: String
  }

  /// Gives the first to the mailer, which knows it by its key should this be repeated; whether there was one that is gone now.
  func sendLetters() async throws -> Bool {
    let row = try await context.store.read(
      """
      SELECT l.id, l.kind, l.reason, l.created_at, e.id AS endpoint, e.url, e.description
      FROM webhooks_letters l JOIN webhooks_endpoints e ON e.id = l.endpoint
      ORDER BY l.created_at, l.id LIMIT 1
      """
    ).first
    guard let row else { return false }
    let id = try row["id", String.self]
    do {
      _ = try await context.services.call(
        "sluice.mailer/1", method: 1, try letter(row, id), as: Sent.self)
    } catch let error as HostError
      where error.status != .invalid && error.status != .notFound && error.status != .denied
    {
      // It is asked again with the next look, and not for ever.
      let age =
        try context.clock.now().unixMilliseconds
        - (try row["created_at", Timestamp.self]).unixMilliseconds
      guard age > Self.patience else { return false }
    } catch let error as HostError {
      context.log.warning(
        "nobody is told by e-mail of an endpoint",
        ["endpoint": try row["endpoint", String.self], "error": "\(error.status.rawValue)"])
    }
    try await context.store.commit { "DELETE FROM webhooks_letters WHERE id = \(id)" as SQL }
    return true
  }

  private func letter(_ row: Row, _ id: String) throws -> Letter {
    let isDisabled = try row["kind", String.self] == HealthNews.disabled.rawValue
    let isGone = try row["reason", String.self] == Endpoint.Reason.gone.rawValue
    let text =
      if !isDisabled {
        """
        Every attempt to send events to {url} has failed for a while ({id} of {app}).

        They are tried again. When this goes on the endpoint is disabled, and gets nothing any more.
        """
      } else if isGone {
        """
        {url} has answered that it is gone (410), and was disabled ({id} of {app}).

        It gets no events any more until it is enabled again.
        """
      } else {
        """
        Every attempt to send events to {url} has failed for too long, and it was disabled ({id} of {app}).

        When it answers again, enable it, and have what it missed sent again.
        """
      }
    return Letter(
      to: settings.alertEmail,
      subject: isDisabled ? "{product}: a webhook was disabled" : "{product}: a webhook is failing",
      text: text + "\n", key: "webhooks.\(id)",
      values: [
        // What stands behind it may be a credential.
        "url": String(try row["url", String.self].prefix { $0 != "?" }.prefix(256)),
        "id": try row["endpoint", String.self], "app": context.tenant,
      ])
  }
}
