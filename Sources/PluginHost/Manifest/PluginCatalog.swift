/// The plugins that are installed.
public struct PluginCatalog: Sendable {
  /// In the order of their ids.
  public let plugins: [PluginManifest]
  /// What is wrong with those that are not in ``plugins``.
  public let problems: [ConfigProblem]

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
    var problems: [ConfigProblem] = []
    for folder in folders {
      do {
        for path in try pluginFolders(in: folder) {
          do throws(ConfigurationError) {
            let plugin = try PluginManifest.read(folder: path)
            if let other = plugins[plugin.id] {
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
    return PluginCatalog(
      plugins: plugins.values.sorted { $0.id < $1.id }, problems: problems)
  }

  private static func pluginFolders(in folder: String) throws(FileSystem.Failure) -> [String] {
    if FileSystem.isFile(FilePath.resolve("plugin.json", in: folder)) { return [folder] }
    return try FileSystem.names(in: folder)
      .map { FilePath.resolve($0, in: folder) }
      .filter { FileSystem.isFile(FilePath.resolve("plugin.json", in: $0)) }
  }
}
