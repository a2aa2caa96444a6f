public import CSluice
import PluginKit
import WebhooksPlugin

/// The plugin's one exported symbol (`sluice/plugin.h`). [any-thread]
// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
public func sluice_plugin_entry_v1() -> UnsafePointer<sluice_plugin_v1_t> {
  PluginEntry<Webhooks>.table(id: "webhooks", version: "0.1.0")
}
