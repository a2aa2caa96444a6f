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
    for limit in Limit.all where !limit.isLive {
      keep(\.limits[limit], "/limits/\(limit.name)")
    }
    return (live, waiting)
  }
}
