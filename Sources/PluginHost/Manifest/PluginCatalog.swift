/// The plugins that are installed.
public struct PluginCatalog: Sendable {
  /// Of each plugin the standard version, which tenants have that choose none; in the order of their ids.
  public let plugins: [PluginManifest]
  /// Other versions, in folders called `id@version`, in the order of ids and versions.
  public let beside: [PluginManifest]
  /// What is wrong with those that are not in ``plugins``.
  public let problems: [ConfigProblem]

  /// All versions of all plugins: the standard ones, then the others.
  public var all: [PluginManifest] { plugins + beside }

  /// The plugin called `id`.
  public subscript(id: String) -> PluginManifest? {
    plugins.first { $0.id == id }
  }

  /// Reads the manifests of folders, each a plugin's folder or a folder of plugins' folders.
  ///
  /// One bad plugin keeps none of the others out. A folder without `plugin.json` is passed over. Control thread
  /// only.
  public static func load(folders: [String]) -> PluginCatalog {
    var plugins: [String: PluginManifest] = [:]
    var beside: [String: PluginManifest] = [:]
    var problems: [ConfigProblem] = []
    for folder in folders {
      do {
        for path in try pluginFolders(in: folder) {
          do throws(ConfigurationError) {
            let plugin = try PluginManifest.read(folder: path)
            if plugin.isBeside {
              if let other = beside.updateValue(plugin, forKey: plugin.identity) {
                problems.append(
                  plugin.problem(
                    at: "/version", "\(plugin.identity) is also installed in \(other.folder)"))
              }
            } else if let other = plugins[plugin.id] {
              problems.append(
                plugin.problem(
                  at: "/id", "plugin \"\(plugin.id)\" is also installed in \(other.folder)"))
            } else {
              plugins[plugin.id] = plugin
            }
          } catch {
            problems += error.problems
          }
        }
      } catch {
        problems.append(ConfigProblem(file: folder, message: error.description))
      }
    }
    for plugin in beside.values.sorted(by: { $0.identity < $1.identity }) {
      guard let standard = plugins[plugin.id] else {
        problems.append(
          plugin.problem(
            at: "/id",
            "no folder \"\(plugin.id)\" is beside it, with the version that is run where none is chosen"
          ))
        continue
      }
      if standard.version == plugin.version {
        problems.append(
          plugin.problem(
            at: "/version", "\(plugin.identity) is also installed in \(standard.folder)"))
      }
    }
    return PluginCatalog(
      plugins: plugins.values.sorted { $0.id < $1.id },
      beside: beside.values.sorted { ($0.id, $0.version) < ($1.id, $1.version) },
      problems: problems)
  }

  private static func pluginFolders(in folder: String) throws(FileSystem.Failure) -> [String] {
    if FileSystem.isFile(FilePath.resolve("plugin.json", in: folder)) { return [folder] }
    return try FileSystem.names(in: folder)
      .map { FilePath.resolve($0, in: folder) }
      .filter { FileSystem.isFile(FilePath.resolve("plugin.json", in: $0)) }
  }
}
