internal import Gateway
public import Store
internal import Wire

/// What the operator's plans have to do with the plugins that are installed, and with the apps that there are.
extension SluiceConfiguration {
  /// The plans, with the one among them that new apps begin on.
  func plans(with installed: [PluginManifest]) -> Plans {
    var plans = plans
    let platform = platformTenant(installed: installed)
    let named = platform.plugins.filter(\.isEnabled).flatMap { plugin in
      installed.first { $0.id == plugin.id }?.settings.planNames(in: plugin.config) ?? []
    }
    if let name = named.first?.name { plans.ofNewApps = name }
    return plans
  }

  /// What is wrong with the plans: settings that name one that is none, a plan of new apps that is none, or one that allows
  /// fewer plugins than new apps begin with.
  func checkPlans(installed: [PluginManifest]) -> [ConfigProblem] {
    var holders = tenants
    if !holders.contains(where: { $0.kind == .platform }) {
      holders.append(platformTenant(installed: installed))
    }
    var problems = holders.flatMap { checkPlans(named: $0, installed: installed) }
    let plans = plans(with: installed)
    if problems.isEmpty, plans[plans.ofNewApps] == nil {
      problems.append(
        problem(
          at: "/plans", "there is no plan \"\(plans.ofNewApps)\", which apps begin on; add it"))
    }
    let standard = self.plugins.standard(for: .app, of: installed).map(\.id)
    if let bound = plans[plans.ofNewApps]?[.plugins], bound > 0, standard.count > bound {
      problems.append(
        problem(
          at: "/plans/\(plans.ofNewApps)/\(Quota.plugins.name)",
          "new apps are on the plan \"\(plans.ofNewApps)\", which allows \(bound), and begin with \(standard.count): "
            + "\(standard.joined(separator: ", ")); allow as many, or name fewer in \"plugins\", \"enabled\""
        ))
    }
    return problems
  }

  private func problem(at pointer: String, _ message: String) -> ConfigProblem {
    ConfigProblem(
      file: source?.name ?? "configuration", position: source?.locate(pointer)?.value,
      pointer: pointer, message: message)
  }

  /// Settings that name a plan that is none, be it by their default.
  private func checkPlans(
    named tenant: StaticTenant, installed: [PluginManifest]
  ) -> [ConfigProblem] {
    tenant.plugins.flatMap { plugin -> [ConfigProblem] in
      guard let manifest = installed.first(where: { $0.id == plugin.id }) else { return [] }
      let given = Set(
        manifest.settings.planNames(in: plugin.config, completes: false).map(\.pointer))
      return manifest.settings.planNames(in: plugin.config).compactMap {
        pointer, name -> ConfigProblem? in
        do throws(TenantError) {
          try plans.check(name)
          return nil
        } catch {
          guard given.contains(pointer) else {
            let setting = pointer.dropFirst().replacing("/", with: "\", \"")
            return problem(
              at: "/plans",
              "\(error.message). The setting \(pointer) of the plugin \"\(plugin.id)\" is \"\(name)\" where nothing else "
                + "is said: add that plan, or name another under \"tenants\", \"\(tenant.id)\", \"plugins\", \"\(plugin.id)\", "
                + "\"config\", \"\(setting)\"")
          }
          return tenant.problem(
            at: JSONPointer.appending(plugin.id, to: "/plugins") + "/config" + pointer,
            error.message, suggestion: nearest(to: name, in: plans.names))
        }
      }
    }
  }

  /// Apps in the data folder that are on plans which are none of ``plans``: a warning for each such plan. The gateway may be
  /// running. [blocking]
  ///
  /// - Throws: `StoreError`: the apps' plans cannot be read.
  public func strayPlans(installed: [PluginManifest]) throws(StoreError) -> [ConfigProblem] {
    let plans = plans(with: installed)
    return try StoredApp.plans(dataDirectory: dataDirectory)
      .filter { plans[$0.plan] == nil }
      .map { problem(at: "/plans", $0.stray(heldBy: plans)) }
  }
}

/// A plan with how many apps are on it.
struct PlanUse: Sendable, Equatable {
  var plan: String
  var apps: Int

  /// What is to be said when the plan is none of the operator's.
  func stray(heldBy plans: Plans) -> String {
    "\(apps) \(apps == 1 ? "app is" : "apps are") on the plan \"\(plan.prefix(80))\", which is none of \"plans\": "
      + "what \"\(plans.ofNewApps)\" allows holds for \(apps == 1 ? "it" : "them")"
  }
}
