/// The order of the plugins' parts in each phase: by `before` and `after`, then by id.
struct PhaseGraph {
  private(set) var steps: [Phase: [TenantPlan.PhaseStep]] = [:]
  private(set) var problems: [ConfigProblem] = []
  /// Parts that are narrowed to what nobody has.
  private(set) var notes: [String] = []

  /// - Parameter plugins: the set, in the order of the ids.
  init(of plugins: [PluginManifest]) {
    for phase in Phase.allCases {
      var parts: [String: (plugin: PluginManifest, part: PhaseHandler)] = [:]
      for plugin in plugins {
        if let part = plugin.phases.first(where: { $0.phase == phase }) {
          parts[plugin.id] = (plugin, part)
        }
      }
      if !parts.isEmpty { order(parts, in: phase) }
    }
    notes = plugins.flatMap { plugin in
      plugin.phases.flatMap { part in
        part.routes.filter { !Self.anyone(among: plugins, has: $0) }.map { filter in
          "\(plugin.id) has a part in \(part.phase.rawValue) for \(filter), which is nobody's route"
        }
      }
    }
  }

  private static func anyone(among plugins: [PluginManifest], has filter: String) -> Bool {
    plugins.contains { plugin in
      plugin.routes.contains {
        PhaseHandler.matches(filter, $0.operation, $0.patterns.map(\.text))
      } || plugin.sockets.contains { PhaseHandler.matches(filter, $0.operation, [$0.path.text]) }
    }
  }

  private mutating func order(
    _ parts: [String: (plugin: PluginManifest, part: PhaseHandler)], in phase: Phase
  ) {
    var graph = TopologicalOrder(of: Array(parts.keys))
    for (id, entry) in parts.sorted(by: { $0.key < $1.key }) {
      for other in entry.part.after {
        graph.place(other, before: id, because: "\(id) says after \(other)")
      }
      for other in entry.part.before {
        graph.place(id, before: other, because: "\(id) says before \(other)")
      }
    }
    do {
      steps[phase] = try graph.sorted().compactMap { id in
        parts[id].map { entry in
          TenantPlan.PhaseStep(
            plugin: id, handler: entry.part.handler, routes: entry.part.routes,
            reasons: graph.reasons(for: id).map(\.reason))
        }
      }
    } catch {
      guard let entry = error.path.first.flatMap({ parts[$0] }) else { return }
      problems.append(
        entry.plugin.problem(
          at: entry.part.pointer,
          "the order of phase \(phase.rawValue) has a cycle: \(error) (→ is: comes after)"))
    }
  }
}
