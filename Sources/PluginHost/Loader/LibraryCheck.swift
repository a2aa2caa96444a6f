/// Looks at a plugin's library for no other reason than to see whether it can be loaded.
public enum LibraryCheck {
  /// Reads the library's headers; none of its code runs.
  ///
  /// - Throws: ``PluginLoadError`` that names the file and says what to do.
  public static func read(_ manifest: PluginManifest) throws(PluginLoadError) {
    do throws(ELFError) {
      try ELFImage(path: manifest.library).check()
    } catch {
      throw PluginLoadError(plugin: manifest.id, file: manifest.library, message: "\(error)")
    }
  }

  /// Loads the library into this process, asks it for its table and its handlers, and compares them with the manifest.
  /// Its code runs: do it in a process of its own.
  ///
  /// - Throws: ``PluginLoadError`` that names the file and says what to do.
  public static func load(_ manifest: PluginManifest) throws(PluginLoadError) {
    _ = try LoadedPlugin(manifest, images: nil)
  }
}
