extension TenantControl {
  /// Makes tenants that nobody has asked for yet, so that settings which a plugin refuses when it is created are told at the
  /// start. What is wrong with a tenant's file is none of these: it may be mended while others are served.
  ///
  /// - Returns: what is wrong, a line each.
  func make(_ tenants: [String]) async -> [String] {
    var refusals: [String] = []
    for tenant in tenants {
      await lock(tenant)
      defer { unlock(tenant) }
      do throws(TenantFailure) {
        _ = try await runtime(of: tenant)
      } catch {
        switch error.code {
        case .config, .plan, .missing:
          refusals.append("tenant \(tenant): \(error.message)")
        default: continue
        }
      }
    }
    return refusals
  }
}
