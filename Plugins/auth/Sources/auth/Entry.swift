import AuthPlugin
public import CSluice
import PluginKit

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func sluice_plugin_entry_v1() -> UnsafePointer<sluice_plugin_v1_t> {
  PluginEntry<Auth>.table(id: "auth", version: "0.1.0")
}
