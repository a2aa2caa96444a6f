internal import CSluice

/// `sluice.metrics/1`: numbers for `/metrics`. Names get the prefix "sluice_<plugin>_".
public struct Metrics {
  unowned(unsafe) let link: HostLink

  /// A number that only grows. `name` is [a-z][a-z0-9_]*, `help` a sentence.
  ///
  /// - Throws: `HostError` `.invalid` when the name is malformed, has another kind, or the plugin has
  ///   more than 256; `ExtensionUnavailable`.
  public func counter(_ name: String, _ help: String) throws -> Metric {
    try declare(SLUICE_METRIC_COUNTER, name, help)
  }

  /// A number that goes up and down.
  public func gauge(_ name: String, _ help: String) throws -> Metric {
    try declare(SLUICE_METRIC_GAUGE, name, help)
  }

  private func declare(_ kind: UInt32, _ name: String, _ help: String) throws -> Metric {
    let (metrics, host) = try link.require("sluice.metrics/1", sluice_metrics_v1_t.self)
    let number = name.withSlice { name in
      help.withSlice { metrics.pointee.declare(host, kind, name, $0) }
    }
    guard number != 0 else { throw HostError(.invalid, "The metric \(name) is refused.") }
    return Metric(link: link, number: number)
  }
}

/// A counter or a gauge. Good as long as the context that made it.
public struct Metric {
  unowned(unsafe) let link: HostLink
  let number: UInt64

  /// Adds to it; a negative amount is ignored for a counter.
  public func add(_ amount: Int = 1) {
    guard let (metrics, host) = link.find("sluice.metrics/1", sluice_metrics_v1_t.self) else {
      return
    }
    metrics.pointee.add(host, number, Int64(amount))
  }
}
