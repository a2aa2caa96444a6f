extension PluginManifest {
  /// Records what is wrong between the parts of one manifest.
  func checkTogether(_ problems: ConfigProblems) {
    checkCapabilities(problems)
    checkTenants(problems)
    checkAccounts(problems)
    refuseRepeats(
      of: routes.map { ($0.operation, "\($0.pointer)/operation") }
        + sockets.map { ($0.operation, "\($0.pointer)/operation") },
      called: "operation", problems)
    refuseRepeats(of: messages.map { ($0.type, "\($0.pointer)/type") }, called: "type", problems)
    refuseRepeats(of: emits.map { ($0.type, "\($0.pointer)/type") }, called: "type", problems)
    refuseRepeats(
      of: channels.map { ($0.namespace, "\($0.pointer)/namespace") }, called: "namespace", problems)
    refuseRepeats(
      of: phases.map { ($0.phase.rawValue, "\($0.pointer)/phase") }, called: "phase", problems)
    refuseRepeats(
      of: provides.map { ("\($0.service) \($0.key ?? "")", $0.pointer) }, called: "service",
      problems)
    refuseRepeats(
      of: requires.map { ("\($0.service) \($0.key ?? "")", $0.pointer) }, called: "service",
      problems)
    for claim in RouteClaim.conflicts(among: claims) {
      problems.add("\(claim.message) (\(claim.rival))", at: claim.pointer)
    }
    for phase in phases where (phase.before + phase.after).contains(id) {
      problems.add("a plugin has no order with itself", at: phase.pointer)
    }
  }

  private func checkCapabilities(_ problems: ConfigProblems) {
    if let index = capabilities.firstIndex(of: .tenants), tenants == .apps {
      problems.add(
        "\(Capability.tenants.rawValue) is for plugins that run on the platform; "
          + "\"tenants\" must be platform or both",
        at: "/capabilities/\(index)")
    }
    let needs: [(Capability, isUsed: Bool, key: String)] = [
      (.http, !routes.isEmpty, "routes"),
      (.phases, !phases.isEmpty, "phases"),
      (.websocket, !sockets.isEmpty, "sockets"),
      (.messages, !messages.isEmpty, "messages"),
      (.store, !migrations.isEmpty, "migrations"),
      (.events, !listens.isEmpty, "listens"),
      (.services, !requires.isEmpty, "requires"),
    ]
    for need in needs where need.isUsed && !capabilities.contains(need.0) {
      problems.add(
        "\"\(need.key)\" needs \(need.0.rawValue) under \"capabilities\"", at: "/\(need.key)")
    }
  }

  /// A route of a kind of tenant that the plugin never runs on would be a route of nobody.
  private func checkTenants(_ problems: ConfigProblems) {
    if tenants != .platform, settings.marksPlans {
      problems.add(
        "\"x-sluice-plan\" is for plugins that run on the platform alone; \"tenants\" is \(tenants.rawValue)",
        at: "/config")
    }
    if tenants != .both, settings.marksTenants {
      problems.add(
        "\"x-sluice-tenants\" is for plugins that run on both kinds of tenant; \"tenants\" is \(tenants.rawValue)",
        at: "/config")
    }
    for route in routes where route.tenants != .both && tenants != .both {
      guard route.tenants != tenants else { continue }
      problems.add(
        "the plugin runs on no such tenant: its own \"tenants\" is \(tenants.rawValue)",
        at: "\(route.pointer)/tenants")
    }
  }

  /// Accounts live on the platform: on a plugin or a route for apps alone nobody could use such a route.
  private func checkAccounts(_ problems: ConfigProblems) {
    let routes = routes.filter { tenants == .apps || $0.tenants == .apps }
    let sockets = tenants == .apps ? sockets : []
    for (access, pointer) in routes.map({ ($0.access, $0.pointer) })
      + sockets.map({ ($0.access, $0.pointer) }) where access.kinds.contains(.account)
    {
      problems.add(
        "\"account\" is for plugins that run on the platform; \"tenants\" is apps",
        at: "\(pointer)/auth")
    }
  }

  private func refuseRepeats(
    of names: [(name: String, pointer: String)], called kind: String, _ problems: ConfigProblems
  ) {
    var first: [String: String] = [:]
    for (name, pointer) in names where name != "" {
      if let earlier = first[name] {
        problems.add("the same \(kind) stands at \(earlier)", at: pointer)
      } else {
        first[name] = pointer
      }
    }
  }
}
