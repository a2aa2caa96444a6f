/// What runs for one tenant, in which order and why: its plugins' manifests resolved into a graph.
///
/// Made on the control thread whenever the tenant's set of plugins changes; immutable, so it may be read anywhere.
public struct TenantPlan: Sendable {
  /// The tenant's id.
  public let tenant: String
  /// In the order in which they are started: each after those whose services it needs.
  public let plugins: [PluginManifest]
  /// The same for every tenant with the same versions of the same plugins; the routers' tables are interned by it.
  public let key: String
  /// Every service that is provided or called, in order.
  public let services: [ServiceBinding]
  /// The parts that plugins have in the phases; a phase where none has a part is absent.
  public let phases: [Phase: [PhaseStep]]
  /// Every event that may be emitted, in the order of the types.
  public let events: [EventFlow]
  /// What is worth knowing and no error, such as a listener that nobody feeds.
  public let notes: [String]
  /// For each plugin, what it comes after when the plugins are started.
  let startReasons: [String: [String]]

  /// A service with its providers and callers.
  public struct ServiceBinding: Sendable, Hashable {
    /// Name and major.
    public let service: ServiceID
    /// One provider without a key, or several, each under its key, in the order of the keys.
    public let providers: [Provider]
    /// Ids of the plugins that call it, in order.
    public let callers: [String]

    /// A plugin that answers calls to the service.
    public struct Provider: Sendable, Hashable {
      /// The plugin's id.
      public let plugin: String
      /// nil for a keyless service.
      public let key: String?
    }
  }

  /// A plugin's part in a phase.
  public struct PhaseStep: Sendable, Hashable {
    /// The plugin's id.
    public let plugin: String
    /// What the plugin calls its code.
    public let handler: String
    /// The operations and paths that it is narrowed to; empty is every route.
    public let routes: [String]
    /// Why it stands where it does; empty when only its id decided.
    public let reasons: [String]
  }

  /// An event's way.
  public struct EventFlow: Sendable, Hashable {
    /// The event's type.
    public let type: String
    /// The name under which `/ws` shows it; nil when it has none.
    public let socketName: String?
    /// The plugin's id.
    public let emitter: String
    /// Whether it is told to sockets alone.
    public let isEphemeral: Bool
    /// Ids of the plugins that listen, in order.
    public let listeners: [String]
  }

  /// The plugin that answers calls to a service, under `key` if the service is keyed.
  public func provider(of service: ServiceID, key: String? = nil) -> String? {
    services.first { $0.service == service }?.providers.first { $0.key == key }?.plugin
  }

  /// Resolves a set of plugins for a tenant.
  ///
  /// - Parameters:
  ///   - tenant: the tenant's id.
  ///   - enabled: the plugins that are switched on for it, in any order, none twice.
  ///   - installed: all plugins there are; a missing provider is looked for among them, for the error's text.
  /// - Throws: everything that keeps this set from running together.
  public static func resolve(
    tenant: String, enabled: [PluginManifest], installed: [PluginManifest] = []
  ) throws(ConfigurationError) -> TenantPlan {
    let plugins = enabled.sorted { $0.id < $1.id }
    let services = ServiceGraph(of: plugins, installed: installed)
    let phases = PhaseGraph(of: plugins)
    let events = EventGraph(
      of: plugins, emittedByHost: tenant == StaticTenant.platformID ? [OperatorNotes.type] : [])
    var problems = claimProblems(of: plugins) + services.problems
    problems += phases.problems + events.problems
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    return TenantPlan(
      tenant: tenant,
      plugins: services.order.compactMap { id in plugins.first { $0.id == id } },
      key: plugins.map(\.identity).joined(separator: ","),
      services: services.bindings, phases: phases.steps, events: events.flows,
      notes: services.notes + phases.notes + events.notes, startReasons: services.startReasons)
  }

  /// What two plugins of the set both want: routes, channel namespaces, socket messages.
  private static func claimProblems(of plugins: [PluginManifest]) -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    for conflict in RouteClaim.conflicts(among: plugins.flatMap(\.claims)) {
      problems.append(
        conflict.plugin.problem(
          at: conflict.pointer, conflict.message, rival: conflict.rival))
    }
    problems += NameClaim.problems(called: "channel namespace", among: plugins) { plugin in
      plugin.channels.map { ($0.namespace, "\($0.pointer)/namespace") }
    }
    problems += NameClaim.problems(called: "socket message", among: plugins) { plugin in
      plugin.messages.map { ($0.type, "\($0.pointer)/type") }
    }
    return problems
  }
}

/// Names of which a set of plugins may have each only once.
enum NameClaim {
  /// The problems of names that stand in two manifests, told at the second.
  static func problems(
    called kind: String, among plugins: [PluginManifest],
    names: (PluginManifest) -> [(name: String, pointer: String)]
  ) -> [ConfigProblem] {
    var first: [String: (plugin: PluginManifest, pointer: String)] = [:]
    var problems: [ConfigProblem] = []
    for plugin in plugins {
      for (name, pointer) in names(plugin) {
        if let earlier = first[name] {
          problems.append(
            plugin.problem(
              at: pointer,
              "the \(kind) \"\(name)\" belongs to plugin \"\(earlier.plugin.id)\" too",
              rival: earlier.plugin.place(of: earlier.pointer)))
        } else {
          first[name] = (plugin, pointer)
        }
      }
    }
    return problems
  }
}
