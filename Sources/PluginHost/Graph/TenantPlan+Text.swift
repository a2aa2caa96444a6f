extension TenantPlan {
  /// The plan as people read it: what `sluice plan TENANT` prints.
  ///
  /// - Parameter selection: the operator's grants; with it the plan says what each plugin may use.
  public func text(grants selection: PluginSelection? = nil) -> String {
    var text = "tenant \(tenant) · \(plugins.count) plugins · \(key)\n"
    text += section("plugins, in the order in which they start", startLines)
    if let selection { text += section("capabilities", capabilityLines(selection)) }
    text += section("services", services.map(line))
    text += section("phases", Phase.allCases.map(line))
    text += section("routes, the fixed before the variable", routeLines)
    text += section("socket messages", messageLines)
    text += section("events", events.map(line))
    text += section("notes", notes)
    return text
  }

  private func section(_ title: String, _ lines: [String]) -> String {
    lines.isEmpty ? "" : "\n\(title)\n" + lines.map { "  \($0)\n" }.joined()
  }

  private var startLines: [String] {
    plugins.enumerated().map { index, plugin in
      let reasons = startReasons[plugin.id] ?? []
      let why = reasons.isEmpty ? "" : " · " + reasons.joined(separator: ", ")
      return "\(index + 1). \(plugin.id) \(plugin.version) · \(plugin.summary)\(why)"
    }
  }

  private func capabilityLines(_ selection: PluginSelection) -> [String] {
    plugins.map { plugin in
      let granted = selection.granted(to: plugin)
      let given = plugin.capabilities.filter(granted.contains).map(\.rawValue)
      let withheld = plugin.capabilities.filter { !granted.contains($0) }.map(\.rawValue)
      return "\(plugin.id): " + (given.isEmpty ? "none" : given.joined(separator: " "))
        + (withheld.isEmpty ? "" : " · not granted: " + withheld.joined(separator: " "))
    }
  }

  private func line(_ binding: ServiceBinding) -> String {
    let providers = binding.providers.map { provider in
      provider.key.map { "\(provider.plugin) (\($0))" } ?? provider.plugin
    }
    let callers = (binding.service == .authenticator ? ["the host"] : []) + binding.callers
    return "\(binding.service): " + providers.joined(separator: ", ")
      + (callers.isEmpty ? "" : " · for " + callers.joined(separator: ", "))
  }

  private func line(_ phase: Phase) -> String {
    var parts: [String] = []
    if phase == .identify, let plugin = provider(of: .authenticator) {
      parts.append("the host, by \(ServiceID.authenticator) of \(plugin)")
    }
    if phase == .handle { parts.append("the route's handler") }
    parts += (phases[phase] ?? []).map { step in
      step.plugin + " \(step.handler)"
        + (step.routes.isEmpty ? "" : " for " + step.routes.joined(separator: ", "))
        + (step.reasons.isEmpty ? "" : " (" + step.reasons.joined(separator: ", ") + ")")
    }
    return "\(phase.rawValue): " + (parts.isEmpty ? "the host" : parts.joined(separator: ", then "))
  }

  private var routeLines: [String] {
    let kind = TenantKind(of: tenant)
    var lines: [(key: String, text: String)] = []
    for plugin in plugins {
      for route in plugin.routes where route.tenants.includes(kind) {
        for pattern in route.patterns {
          let text = "\(route.method.rawValue) \(pattern) · \(plugin.id).\(route.operation)"
          lines.append((pattern.text, text + " · \(route.access)"))
        }
      }
      for socket in plugin.sockets {
        let text = "WebSocket \(socket.path) · \(plugin.id).\(socket.operation)"
        lines.append((socket.path.text, text + " · \(socket.access)"))
      }
    }
    return lines.sorted { ($0.key, $0.text) < ($1.key, $1.text) }.map(\.text)
  }

  private var messageLines: [String] {
    plugins.flatMap { plugin in
      plugin.messages.map { "\($0.type) · \(plugin.id).\($0.handler)" }
    }.sorted()
  }

  private func line(_ flow: EventFlow) -> String {
    let name = flow.socketName.map { " (as \($0))" } ?? ""
    if flow.isEphemeral { return "\(flow.type)\(name): \(flow.emitter), to sockets alone" }
    let listeners = flow.listeners.isEmpty ? "nobody" : flow.listeners.joined(separator: ", ")
    return "\(flow.type)\(name): \(flow.emitter) → \(listeners)"
  }
}
