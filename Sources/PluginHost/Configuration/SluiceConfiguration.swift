internal import Client
internal import Wire

/// What the operator decides: the content of `sluice.json`, defaults filled in, paths resolved.
public struct SluiceConfiguration: Sendable {
  /// Where to listen; never empty, no address twice.
  public var listeners: [ListenerSettings]
  /// The folder that holds all data of this gateway.
  public var dataDirectory: String
  /// Event loops; 0 is one for each core.
  public var loops = 0
  /// Where plugins lie, and which of them run.
  public var plugins: PluginSelection
  /// The file with the key that seals secrets, where the operator named one.
  public var chosenKeyFile: String?
  /// What is logged, and where.
  public var log = LogSettings()
  /// Whether `/metrics` answers others than loopback.
  public var metricsArePublic = false
  /// Whose word counts on where a request comes from.
  var trustedProxies = TrustedProxies()
  /// Where requests to others may go.
  var client = ClientSettings()
  /// The limits in force.
  public var limits = Limits()
  /// How WebSockets are compressed, and the most that any of them may have.
  public var compression = CompressionChoice()
  /// What apps may use, by the names of their plans; ``plans(with:)`` also knows which of them new apps begin on.
  var plans = Plans()
  /// Host names that are the platform's own: none leads to an app.
  public var platformHosts: Set<String> = []
  /// The tenants that are given by files, in the order of their ids.
  public var tenants: [StaticTenant] = []
  /// How long connections may go on after SIGTERM or after their plugin was replaced.
  public var drainTimeoutMilliseconds = 30_000
  /// What is checked for people who write plugins.
  public var debug = DebugSettings()
  /// The file that was read, for errors found later; `nil` when there was none.
  var source: ConfigText?

  /// How a tenant's WebSockets are compressed: as its file says, else as for all.
  func compression(ofTenant id: String) -> CompressionChoice {
    let own = tenants.first { $0.id == id }?.compression ?? CompressionChoice()
    return own.over(compression)
  }

  /// The file with the key that seals secrets: the one chosen, else `master.key` in the data directory.
  public var keyFile: String {
    chosenKeyFile ?? FilePath.resolve("master.key", in: dataDirectory)
  }

  /// What `sluice serve` runs with when there is no file: every plugin found, on `platform` and on apps.
  ///
  /// - Parameters:
  ///   - dataDirectory: the folder for all data, as the operator named it.
  ///   - listen: where to listen.
  ///   - pluginFolders: folders with a folder for each plugin, the gateway's own.
  public static func `default`(
    dataDirectory: String, listen: [ListenAddress], pluginFolders: [String]
  ) -> SluiceConfiguration {
    var configuration = SluiceConfiguration(
      listeners: listen.map { ListenerSettings(address: $0) }, dataDirectory: dataDirectory,
      plugins: PluginSelection(folders: pluginFolders))
    configuration.plugins.tenantsGrant = .platform
    return configuration
  }
}

/// What is written to the log, and where.
public struct LogSettings: Sendable, Hashable {
  /// How much is logged: a level and all above it.
  public enum Level: String, Sendable, CaseIterable {
    case trace, debug, info, warning, error
  }

  /// Where the access log goes.
  public enum AccessLog: Sendable, Hashable {
    case stdout
    case stderr
    case off
    /// Appended to this file.
    case file(String)
  }

  /// How a line looks; JSON is the only form there is.
  public enum Format: String, Sendable, CaseIterable {
    case json
  }

  /// What is logged of the gateway itself and of plugins; the access log has no levels.
  public var level = Level.info
  /// Where one line for each request goes.
  public var access = AccessLog.stdout
  /// How lines of both logs are written.
  public var format = Format.json

  /// The defaults.
  public init() {}
}

/// Switches for people who write plugins.
public struct DebugSettings: Sendable, Hashable {
  /// Whether the log names calls of the contract's functions on a thread where they may not be called.
  public var threadChecks = false
  /// How long a plugin's callback may keep its loop before the watchdog names it.
  public var callbackBudgetMilliseconds = 5

  /// Nothing is checked; the watchdog's budget is 5 ms.
  public init() {}
}
