/// Loads a plugin's library for no other reason than to see whether it can be.
public enum LibraryCheck {
  /// Loads the library into this process, asks it for its table and its handlers, and compares them with the manifest.
  /// Its code runs: do it in a process of its own.
  ///
  /// - Throws: ``PluginLoadError`` that names the file and says what to do.
  public static func load(_ manifest: PluginManifest) throws(PluginLoadError) {
    _ = try LoadedPlugin(manifest, images: nil)
  }
}
