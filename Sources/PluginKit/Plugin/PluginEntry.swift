public import CSluice

/// A plugin type as the contract sees it. The whole entry file of a plugin is
///
/// ```swift
/// import HelloPlugin
/// public import CSluice
/// import PluginKit
///
/// @c @implementation
/// public func sluice_plugin_entry_v1() -> UnsafePointer<sluice_plugin_v1_t> {
///   PluginEntry<Hello>.table(id: "hello", version: "0.1.0")
/// }
/// ```
public enum PluginEntry<P: Plugin> {
  /// The plugin's table, with static lifetime; the same for the same plugin always.
  ///
  /// - Parameters:
  ///   - id: as in the manifest.
  ///   - version: as in the manifest.
  public static func table(
    id: StaticString, version: StaticString
  ) -> UnsafePointer<sluice_plugin_v1_t> {
    PluginImage.table(of: P.self, id: id, version: version)
  }
}
