internal import PluginKit

/// The tenant's endpoints, as a shard has read them last. Loop thread.
final class EndpointBook {
  /// Endpoints that are read together, so that what is read stays small.
  private static let slice = 100

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
    var found: [Endpoint] = []
    var foundRevision: Int64?
    while true {
      let rows = try await context.store.read([
        Self.revision,
        """
        SELECT \(raw: Endpoint.columns) FROM webhooks_endpoints
        WHERE state <> 'deleted' AND id > \(found.last?.id ?? "") ORDER BY id LIMIT \(Self.slice)
        """,
      ])
      let current = try rows[0].first?["revision", Int64.self]
      if let foundRevision, foundRevision != current {
        found = []
        (endpoints, revision) = ([], nil)
        throw HostError(.conflict, "endpoints change while they are read")
      }
      foundRevision = current
      found += try rows[1].map { try Endpoint($0) }
      guard rows[1].count == Self.slice else { break }
    }
    (endpoints, revision) = (found, foundRevision)
    seen = changes
  }

  /// Whether the endpoints are those on disk.
  func isUnchanged() async throws -> Bool {
    try await context.store.read(Self.revision).first?["revision", Int64.self] == revision
  }

  private static let revision: SQL = "SELECT revision FROM webhooks_state WHERE id = 1"

  /// Holds in a batch only while the endpoints are those that were read.
  var isCurrent: SQL {
    SQL("SELECT 1 AS same FROM webhooks_state WHERE id = 1 AND revision = \(revision ?? -1)")
      .expect(exactly: 1)
  }

  /// Says in a batch that an endpoint has changed.
  static let changed: SQL =
    "UPDATE webhooks_state SET revision = revision + 1 WHERE id = 1"
}
