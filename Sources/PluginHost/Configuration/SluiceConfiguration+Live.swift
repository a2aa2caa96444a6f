extension SluiceConfiguration {
  /// What of another configuration can be in force without a restart: that one, with the rest as it is here.
  ///
  /// - Returns: the configuration, and the pointers of what differs and takes a restart.
  func adopting(_ next: SluiceConfiguration) -> (live: SluiceConfiguration, waiting: [String]) {
    var live = next
    var waiting: [String] = []
    func keep<Value: Equatable>(
      _ path: WritableKeyPath<SluiceConfiguration, Value>, _ pointer: String
    ) {
      guard self[keyPath: path] != next[keyPath: path] else { return }
      waiting.append(pointer)
      live[keyPath: path] = self[keyPath: path]
    }
    keep(\.listeners, "/listeners")
    keep(\.dataDirectory, "/data")
    keep(\.loops, "/loops")
    keep(\.chosenKeyFile, "/secrets/key_file")
    keep(\.log, "/log")
    keep(\.debug, "/debug")
    keep(\.client, "/client")
    for limit in Limit.all where !limit.isLive {
      keep(\.limits[limit], "/limits/\(limit.name)")
    }
    return (live, waiting)
  }

  /// The operator's settings that are others than in a configuration that was in force, a line each.
  func settingsChanged(since former: SluiceConfiguration) -> [String] {
    var changes = Limit.all.filter { limits[$0] != former.limits[$0] }
      .map { "limits/\($0.name) is \(limits[$0]), was \(former.limits[$0])" }
    if drainTimeoutMilliseconds != former.drainTimeoutMilliseconds {
      changes.append("drain_timeout_ms is \(drainTimeoutMilliseconds)")
    }
    if metricsArePublic != former.metricsArePublic {
      changes.append("metrics/public is \(metricsArePublic)")
    }
    if trustedProxies != former.trustedProxies { changes.append("trusted_proxies are others") }
    if plans != former.plans { changes.append("plans are others") }
    if compression != former.compression { changes.append("compression is another") }
    if platformHosts != former.platformHosts { changes.append("platform_hosts are others") }
    if plugins != former.plugins {
      changes.append("plugins, what is enabled or granted is another")
    }
    return changes
  }
}
