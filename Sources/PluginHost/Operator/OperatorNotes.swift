internal import Store

/// Tells whoever keeps an audit log on the platform what an operator does to apps.
///
/// Each note is an event of the platform's tenant, on disk before the change that it announces is made. The listeners among
/// the platform's plugins hear them in their order, each once: at once in a gateway that serves, and at the next start where
/// the command has worked on data that nobody runs on. `docs/plugin-author-guide.md` states what is in them.
struct OperatorNotes: Sendable {
  /// The type of the events. Plugins that note something emit others whose last two words are the same.
  static let type = "sluice.audit.noted"

  enum Outcome: String {
    /// About to be done.
    case begun
    case done
    /// It was begun and has not been done.
    case failed
  }

  private let store: Store
  /// Plugins of the platform that listen; with none nothing is noted.
  private let listeners: [String]
  private let user: LocalUser
  /// One for the command: its notes belong together.
  let requestID: String

  init(_ store: Store, listeners: [String], by user: LocalUser) {
    self.store = store
    self.listeners = listeners
    self.user = user
    requestID = Entropy.identifier("opr")
  }

  /// Notes how far a change of an app has come, durably.
  ///
  /// - Parameters:
  ///   - action: "app.deleted" and the like.
  ///   - before, after: what the app was and is, without secrets.
  ///   - reason: why it has failed.
  /// - Throws: when the platform's data cannot be written.
  func write(
    _ action: String, of app: String, _ outcome: Outcome, before: ConfigValue? = nil,
    after: ConfigValue? = nil, reason: String? = nil
  ) async throws(TenantError) {
    guard !listeners.isEmpty else { return }
    var members: [ConfigValue.Member] = [
      .init("app", .string(app)), .init("actor_kind", "operator"),
      .init("actor", .string(user.name)), .init("address", "local"),
      .init("request_id", .string(requestID)), .init("action", .string(action)),
      .init("outcome", .string(outcome.rawValue)),
    ]
    if let before { members.append(.init("before", before)) }
    if let after { members.append(.init("after", after)) }
    if let reason { members.append(.init("reason", .string(reason))) }
    let event = OutboxEvent(
      type: Self.type, channel: nil, data: Array(ConfigValue.object(members).json.utf8),
      id: Entropy.identifier("evt"))
    do throws(StoreError) {
      for listener in listeners {
        // Where the platform was never opened with it: else nothing would be kept for it.
        _ = try await store.registerListener(tenant: StaticTenant.platformID, listener: listener)
      }
      _ = try await store.submit(
        tenant: StaticTenant.platformID,
        batch: Batch(owner: Owner.host, statements: [], events: [event]))
    } catch {
      throw TenantError(error, while: "noting it for the audit log")
    }
  }
}

extension SluiceConfiguration {
  /// The platform's plugins that hear what an operator does.
  func noteListeners(installed: [PluginManifest]) -> [String] {
    platformTenant(installed: installed).plugins.filter(\.isEnabled).map(\.id).filter { id in
      installed.contains { plugin in
        plugin.id == id && plugin.listens.contains { $0.matches(OperatorNotes.type) }
      }
    }
  }
}

extension TenantRecord {
  /// What a log may tell of the tenant: nothing that is sealed, and of credentials the ids alone.
  func noted(plan: String) -> ConfigValue {
    func list(_ texts: [String]) -> ConfigValue { .array(texts.map { .string($0) }) }
    return [
      "plan": .string(plan),
      "plugins": list(plugins.filter(\.value.enabled).keys.sorted()),
      "hosts": list(hosts), "allowed_origins": list(origins), "keys": list(keys.map(\.id)),
    ]
  }
}
