internal import PluginKit

/// The tenant's endpoints, as a shard has read them last. Loop thread.
final class EndpointBook {
  private let context: ShardContext
  private let desk: Desk
  private(set) var endpoints: [Endpoint] = []
  /// Of the row `webhooks_state` when they were read; nil: they have not been.
  private(set) var revision: Int64?
  private var seen: UInt64 = 0

  init(_ context: ShardContext, _ desk: Desk) {
    self.context = context
    self.desk = desk
  }

  /// Reads them anew next time.
  func forget() { revision = nil }

  /// Reads them unless they are as they were.
  func refresh() async throws {
    let changes = desk.changes
    guard revision == nil || changes != seen else { return }
    let rows = try await context.store.read([
      "SELECT revision FROM webhooks_state WHERE id = 1",
      """
      SELECT \(raw: Endpoint.columns) FROM webhooks_endpoints WHERE state <> 'deleted' ORDER BY id
      """,
    ])
    endpoints = try rows[1].map { try Endpoint($0) }
    revision = try rows[0].first?["revision", Int64.self]
    seen = changes
  }

  /// Holds in a batch only while the endpoints are those that were read.
  var isCurrent: SQL {
    SQL("SELECT 1 AS same FROM webhooks_state WHERE id = 1 AND revision = \(revision ?? -1)")
      .expect(exactly: 1)
  }

  /// Says in a batch that an endpoint has changed.
  static let changed: SQL =
    "UPDATE webhooks_state SET revision = revision + 1 WHERE id = 1"
}
