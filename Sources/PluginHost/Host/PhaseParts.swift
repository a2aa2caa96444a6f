internal import CSluice
internal import Gateway

/// The parts that a set of plugins has in the phases, in the plan's order, ready to be put into routes.
struct PhaseParts {
  private var parts: [(phase: RequestPhase, declared: PhaseHandler, step: Gateway::PhaseStep)] = []

  /// - Parameter plugins: the plan's, in its order: their places are those of their shards.
  init(_ plan: TenantPlan, _ plugins: [LoadedPlugin]) {
    for phase in RequestPhase.allCases {
      for planned in plan.phases[Phase(phase)] ?? [] {
        guard let place = plugins.firstIndex(where: { $0.manifest.id == planned.plugin }),
          let table = plugins[place].phases,
          let index = plugins[place].manifest.phases.firstIndex(where: { $0.phase.served == phase })
        else { continue }
        let plugin = plugins[place]
        let step = Gateway::PhaseStep(
          table.pointee.run, cancelled: table.pointee.cancelled,
          handler: plugin.phaseHandlers[index], plugin: place)
        parts.append((phase, plugin.manifest.phases[index], step))
      }
    }
  }

  /// Puts the parts into a route that it has a part in.
  func add(to route: inout Gateway::Route, _ patterns: [String]) {
    for part in parts
    where part.declared.includes(operation: route.operation, patterns: patterns) {
      route.phases[part.phase, default: []].append(part.step)
    }
  }
}

extension Phase {
  /// The phase as the gateway knows it; nil for those that are not of handlers.
  var served: RequestPhase? {
    switch self {
    case .authorize: .authorize
    case .limit: .limit
    case .respond: .respond
    case .observe: .observe
    case .identify, .handle: nil
    }
  }

  init(_ phase: RequestPhase) {
    switch phase {
    case .authorize: self = .authorize
    case .limit: self = .limit
    case .respond: self = .respond
    case .observe: self = .observe
    }
  }
}
