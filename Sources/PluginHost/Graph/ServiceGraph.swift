import Wire

/// Who provides which service and who calls it, within one set of plugins.
struct ServiceGraph {
  private(set) var bindings: [TenantPlan.ServiceBinding] = []
  private(set) var problems: [ConfigProblem] = []
  private(set) var notes: [String] = []
  /// Ids of the plugins, each after those whose services it needs.
  private(set) var order: [String] = []
  private(set) var startReasons: [String: [String]] = [:]

  private typealias Provider = TenantPlan.ServiceBinding.Provider
  private let plugins: [PluginManifest]
  private let installed: [PluginManifest]
  private var providers: [ServiceID: [Provider]] = [:]
  private var callers: [ServiceID: Set<String>] = [:]

  /// - Parameters:
  ///   - plugins: the set, in the order of the ids.
  ///   - installed: where else a missing provider may be found.
  init(of plugins: [PluginManifest], installed: [PluginManifest]) {
    self.plugins = plugins
    self.installed = installed
    collectProviders()
    var graph = TopologicalOrder(of: plugins.map(\.id))
    for plugin in plugins {
      for requirement in plugin.requires { bind(requirement, of: plugin, in: &graph) }
    }
    requireAuthenticator()
    do {
      order = try graph.sorted()
    } catch {
      refuse(error)
    }
    for id in order {
      startReasons[id] = graph.reasons(for: id).map { "after \($0.before): \($0.reason)" }
    }
    bindings = Set(providers.keys).union(callers.keys).sorted().map { service in
      TenantPlan.ServiceBinding(
        service: service,
        providers: (providers[service] ?? []).sorted { ($0.key ?? "") < ($1.key ?? "") },
        callers: (callers[service] ?? []).sorted())
    }
  }

  private mutating func collectProviders() {
    var places: [String: (plugin: PluginManifest, pointer: String)] = [:]
    for plugin in plugins {
      for offer in plugin.provides {
        let others = providers[offer.service] ?? []
        if let other = others.first(where: { ($0.key == nil) != (offer.key == nil) }) {
          problems.append(
            plugin.problem(
              at: offer.pointer,
              "\(offer.service) is provided \(offer.key == nil ? "without" : "under") a key here "
                + "and \(other.key == nil ? "without" : "under") one by plugin \"\(other.plugin)\"")
          )
          continue
        }
        let name = "\(offer.service) \(offer.key ?? "")"
        if let earlier = places[name] {
          let key = offer.key.map { " under the key \"\($0)\"" } ?? ""
          problems.append(
            plugin.problem(
              at: offer.pointer,
              "\(offer.service) is provided\(key) by plugin \"\(earlier.plugin.id)\" too; "
                + "a tenant has one provider", rival: earlier.plugin.place(of: earlier.pointer)))
          continue
        }
        places[name] = (plugin, offer.pointer)
        providers[offer.service, default: []].append(Provider(plugin: plugin.id, key: offer.key))
      }
    }
  }

  private mutating func bind(
    _ requirement: RequiredService, of plugin: PluginManifest, in graph: inout TopologicalOrder
  ) {
    let service = requirement.service
    let offers = (providers[service] ?? []).filter { offer in
      requirement.key == nil || offer.key == requirement.key
    }
    if !offers.isEmpty {
      callers[service, default: []].insert(plugin.id)
    } else if requirement.isOptional {
      notes.append("\(plugin.id) goes without \(Self.name(of: requirement)): nobody provides it")
    } else {
      problems.append(missing(requirement, of: plugin))
    }
    guard requirement.isHard else { return }
    for offer in offers {
      graph.place(
        offer.plugin, before: plugin.id,
        because: "\(plugin.id) requires \(Self.name(of: requirement))")
    }
  }

  /// The host asks the authenticator about every credential.
  private mutating func requireAuthenticator() {
    guard providers[.authenticator] == nil else { return }
    for plugin in plugins {
      let protected =
        plugin.routes.first { $0.access != .open }.map { ($0.operation, $0.pointer) }
        ?? plugin.sockets.first { $0.access != .open }.map { ($0.operation, $0.pointer) }
      guard let (operation, pointer) = protected else { continue }
      problems.append(
        plugin.problem(
          at: "\(pointer)/auth",
          "the operation \(operation) needs a credential, but no plugin of this tenant provides "
            + "\(ServiceID.authenticator)"
            + hint(for: .authenticator, key: nil)))
    }
  }

  private func missing(
    _ requirement: RequiredService, of plugin: PluginManifest
  ) -> ConfigProblem {
    let name = Self.name(of: requirement)
    let names = plugins.flatMap(\.provides).map(\.service.description)
    return plugin.problem(
      at: requirement.pointer,
      "no plugin of this tenant provides \(name): \(path(to: plugin.id)) → \(name)"
        + hint(for: requirement.service, key: requirement.key),
      suggestion: nearest(to: requirement.service.description, in: names))
  }

  /// Where a service could come from.
  private func hint(for service: ServiceID, key: String?) -> String {
    let other = installed.first { plugin in
      !plugins.contains { $0.id == plugin.id }
        && plugin.provides.contains { $0.service == service && (key == nil || $0.key == key) }
    }
    return other.map { "; plugin \"\($0.id)\" is installed and provides it" } ?? ""
  }

  /// The chain of plugins by which `id` is needed, the first one needed by none.
  private func path(to id: String) -> String {
    var path = [id]
    while let next = dependents(of: path[0]).first(where: { !path.contains($0) }) {
      path.insert(next, at: 0)
    }
    return path.joined(separator: " → ")
  }

  private func dependents(of id: String) -> [String] {
    guard let provider = plugins.first(where: { $0.id == id }) else { return [] }
    return plugins.filter { plugin in
      plugin.requires.contains { requirement in
        requirement.isHard
          && provider.provides.contains { offer in
            offer.service == requirement.service
              && (requirement.key == nil || requirement.key == offer.key)
          }
      }
    }.map(\.id)
  }

  private mutating func refuse(_ cycle: TopologicalOrder.Cycle) {
    guard let plugin = plugins.first(where: { $0.id == cycle.path.first }) else { return }
    let next = cycle.path.count > 1 ? cycle.path[1] : plugin.id
    let provided = plugins.first { $0.id == next }?.provides ?? []
    let requirement = plugin.requires.first { requirement in
      requirement.isHard && provided.contains { $0.service == requirement.service }
    }
    problems.append(
      plugin.problem(
        at: requirement?.pointer ?? "/requires",
        "plugins require each other: \(cycle); one of the requirements must be optional or many"))
  }

  private static func name(of requirement: RequiredService) -> String {
    requirement.key.map { "\(requirement.service) under \"\($0)\"" } ?? "\(requirement.service)"
  }
}
