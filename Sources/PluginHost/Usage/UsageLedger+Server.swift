internal import Store

extension UsageLedger {
  /// Opens the ledger before anything is served. [blocking]
  convenience init(
    opening store: Store, _ configuration: SluiceConfiguration, installed: [PluginManifest]
  ) throws(StartError) {
    self.init(
      store, directory: configuration.dataDirectory, plans: configuration.plans(with: installed))
    let answer = Answer<StoreError?>()
    Task { [self] in
      do throws(StoreError) {
        try await load()
        answer.give(nil)
      } catch {
        answer.give(error)
      }
    }
    if let error = answer.wait() { throw StartError("what apps use cannot be read: \(error)") }
  }
}

extension Host {
  /// Tells of apps on plans that the operator has taken away, and of apps that cannot be served without a plugin that is gone.
  func warnOfStrayApps() {
    warnOfMissingPlugins()
    let (uses, plans) = usage.strays
    for use in uses {
      log.write(
        .warning, use.stray(heldBy: plans),
        fields: [
          "plan": .string(use.plan), "apps": .integer(use.apps),
          "held_by": .string(plans.ofNewApps),
        ])
    }
  }

  /// Writes what has been counted and closes connections to others, while there are loops that can. [blocking]
  func clearLoops() {
    let isKept = Answer<Bool>()
    Task {
      await tenants.onEveryLoop {
        $0.gateway.addUsage()
        $0.endClient()
      }
      await usage.flush()
      isKept.give(true)
    }
    _ = isKept.wait()
  }
}
