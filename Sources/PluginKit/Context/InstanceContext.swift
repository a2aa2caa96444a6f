/// What a plugin sees of the gateway while its instance is made: `Plugin.init` only, control thread.
public final class InstanceContext {
  let link: HostLink

  init(_ link: HostLink) {
    self.link = link
  }

  /// The tenant that the instance serves: an app's id, or "platform".
  public var tenant: String { link.tenant }
  /// The plugin's id.
  public var plugin: String { link.plugin }

  /// The tenant's settings as a value.
  ///
  /// - Throws: `ConfigurationError` with the JSON pointer of what is wrong.
  public func config<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
    try Config(link: link).decode(type)
  }

  /// The tenant's settings; they do not change while the instance lives.
  public var config: Config { Config(link: link) }
  /// Namespaces of channels that the settings describe. Needs `sluice.history/1`.
  public var namespaces: Namespaces { Namespaces(link: link) }
  /// The host's time. Needs `sluice.clock/1`.
  public var clock: Clock { Clock(link: link) }
  /// Random bytes of the host. Needs `sluice.random/1`.
  public var random: Random { Random(link: link) }
  /// The gateway's log, with tenant and plugin added. Needs `sluice.log/1`; without it nothing is written.
  public var log: Log { Log(link: link) }
  /// Counters and gauges on `/metrics`. Make them here, not per request. Needs `sluice.metrics/1`.
  public var metrics: Metrics { Metrics(link: link) }

  /// The absolute path of the plugin's own folder for this tenant, which is there when this returns. Keep the path: it can be
  /// asked for only here. Files are read and written on worker threads. Needs `sluice.files/1`.
  ///
  /// - Throws: `HostError` `.unavailable` when the folder cannot be made; `ExtensionUnavailable`.
  public func folder() throws -> String { try Files(link: link).folder() }

  /// The secret called `name`, or nil. Do not keep it longer than needed.
  public func secret(_ name: String) throws -> [UInt8]? {
    try SecretReader(link: link).get(name)
  }
}
