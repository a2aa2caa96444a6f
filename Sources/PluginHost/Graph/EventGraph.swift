/// Who emits which events and who hears them, within one set of plugins.
struct EventGraph {
  private(set) var flows: [TenantPlan.EventFlow] = []
  private(set) var problems: [ConfigProblem] = []
  private(set) var notes: [String] = []

  /// - Parameters:
  ///   - plugins: the set, in the order of the ids.
  ///   - host: types that the host emits for the tenant by itself.
  init(of plugins: [PluginManifest], emittedByHost host: [String] = []) {
    problems = NameClaim.problems(called: "event", among: plugins) { plugin in
      plugin.emits.map { ($0.type, "\($0.pointer)/type") }
    }
    problems += NameClaim.problems(called: "socket name", among: plugins) { plugin in
      plugin.emits.compactMap { event in
        event.socketName.map { ($0, "\(event.pointer)/socket_name") }
      }
    }
    for plugin in plugins {
      for event in plugin.emits {
        flows.append(
          TenantPlan.EventFlow(
            type: event.type, socketName: event.socketName, emitter: plugin.id,
            isEphemeral: event.isEphemeral,
            listeners: event.isEphemeral
              ? []
              : plugins.filter { listener in
                listener.listens.contains { $0.matches(event.type) }
              }.map(\.id)))
      }
    }
    for type in host {
      let listeners = plugins.filter { $0.listens.contains { $0.matches(type) } }.map(\.id)
      guard !listeners.isEmpty else { continue }
      flows.append(
        TenantPlan.EventFlow(
          type: type, socketName: nil, emitter: "the host", isEphemeral: false,
          listeners: listeners))
    }
    flows.sort { $0.type < $1.type }
    for plugin in plugins {
      for pattern in plugin.listens
      where !flows.contains(where: { !$0.isEphemeral && pattern.matches($0.type) }) {
        let isTold = flows.contains { pattern.matches($0.type) }
        notes.append(
          "\(plugin.id) listens for \(pattern), which "
            + (isTold ? "is ephemeral: sockets alone are told" : "nobody emits"))
      }
    }
  }
}
