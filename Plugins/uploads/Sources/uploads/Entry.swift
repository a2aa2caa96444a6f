public import CSluice
import PluginKit
import UploadsPlugin

/// The plugin's one exported symbol (`sluice/plugin.h`). [any-thread]
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func sluice_plugin_entry_v1() -> UnsafePointer<sluice_plugin_v1_t> {
  PluginEntry<Uploads>.table(id: "uploads", version: "0.1.0")
}
