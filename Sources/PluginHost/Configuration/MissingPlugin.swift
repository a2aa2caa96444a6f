public import Store

/// A plugin that an app has switched on and that is not installed, or not in the version that the app has chosen: the app
/// cannot be opened until it is, or until the app chooses another.
public struct MissingPlugin: Sendable, Hashable {
  /// The app's id.
  public var app: String
  /// The plugin's id.
  public var plugin: String
  /// The version that the app has chosen; nil where it has chosen none, and the plugin is not installed at all.
  public var version: String?
  /// The versions that are installed, in the order in which plugins are read.
  public var installed: [String]

  /// Nil when it is installed in that version.
  ///
  /// - Parameter manifests: all versions of all plugins.
  public init?(app: String, plugin: String, version: String?, among manifests: [PluginManifest]) {
    let installed = manifests.filter { $0.id == plugin }.map(\.version)
    guard version.map({ !installed.contains($0) }) ?? installed.isEmpty else { return nil }
    self.installed = installed
    self.app = app
    self.plugin = plugin
    self.version = version
  }

  /// What is wrong, without the app's id.
  public var reason: String {
    let choice =
      version.map { "has chosen \(plugin)@\($0)" } ?? "has the plugin \"\(plugin)\" switched on"
    return "the app \(choice), which is not installed; "
      + (installed.isEmpty
        ? "no version of it is" : "installed is \(installed.joined(separator: ", "))")
  }

  /// What a developer of the app is told, who can choose another version.
  var advice: String {
    guard let version, let other = installed.first else {
      return
        "The plugin \"\(plugin)\", which the app has switched on, is not installed any more. Switch it off."
    }
    return
      "The app has chosen version \(version) of the plugin \"\(plugin)\", which is not installed any more. "
      + "Choose one that is, with \"version\": \"\(other)\", or null for the standard one."
  }
}

extension MissingPlugin: CustomStringConvertible {
  /// The whole of it, in one line for an operator.
  public var description: String { "app \"\(app)\": \(reason)" }
}

extension SluiceConfiguration {
  /// What apps in the data folder have switched on and is not installed. The gateway may be running. [blocking]
  ///
  /// - Parameter installed: all versions of all plugins.
  /// - Throws: `StoreError`: the apps' plugins cannot be read.
  public func missingPlugins(installed: [PluginManifest]) throws(StoreError) -> [MissingPlugin] {
    try StoredApp.choices(dataDirectory: dataDirectory).compactMap { app, choice in
      MissingPlugin(app: app, plugin: choice.plugin, version: choice.version, among: installed)
    }
  }
}

extension Host {
  /// Tells of apps that cannot be opened because a plugin of theirs is not installed: at the start, and after a reload.
  func warnOfMissingPlugins() {
    let manifests = currentSetup.allManifests
    for record in registry.all() where !record.isStatic {
      for (id, setting) in record.plugins.sorted(by: { $0.key < $1.key }) where setting.enabled {
        guard
          let missing = MissingPlugin(
            app: record.id, plugin: id, version: setting.version, among: manifests)
        else { continue }
        log.write(
          .error, "an app cannot be served: a plugin of it is not installed",
          fields: [
            "tenant": .string(record.id), "plugin": .string(id),
            "version": .string(setting.version ?? ""),
            "installed": .array(missing.installed.map { .string($0) }),
          ])
      }
    }
  }
}
