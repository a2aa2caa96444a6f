import ArgumentParser
import PluginHost

struct PluginCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin", abstract: "List plugins, check one, begin one.",
    subcommands: [PluginList.self, PluginValidate.self, PluginNew.self])
}

struct PluginList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the plugins that are installed.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.read()
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    let plugins = (catalog.plugins + catalog.beside).sorted { $0.identity < $1.identity }
    let width = plugins.map(\.identity.count).max() ?? 0
    for plugin in plugins {
      let identity = plugin.identity + String(repeating: " ", count: width - plugin.identity.count)
      print(
        "\(identity)  \(plugin.tenants.rawValue)  \(plugin.runtime.rawValue)  \(plugin.summary)")
    }
    guard catalog.problems.isEmpty else { throw failure(catalog.problems.map(\.description)) }
  }
}
