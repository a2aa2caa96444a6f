import ArgumentParser
import PluginHost

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what runs for a tenant, in which order and why.")

  @Argument(
    help:
      "\"platform\", a tenant of the configuration, an app's id, or \"app\" for what a new app begins with."
  )
  var tenant: String

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.read()
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    for problem in catalog.problems { say("\(problem)") }
    let tenants = configuration.plannedTenants(installed: catalog.plugins)
    guard
      let planned = try tenants.first(where: { $0.id == tenant })
        ?? stored(configuration, catalog.all)
    else {
      throw failure(
        "there is no tenant \"\(tenant)\": the configuration has "
          + tenants.map(\.id).joined(separator: ", ")
          + ", and \(configuration.dataDirectory) has no app of that id")
    }
    do {
      let plan = try planned.plan(catalog)
      print(plan.text(grants: configuration.plugins), terminator: "")
    } catch {
      throw failure(error.problems.map(\.description))
    }
  }

  /// The app, if it was made while a gateway ran on the configuration's data.
  private func stored(
    _ configuration: SluiceConfiguration, _ installed: [PluginManifest]
  ) throws -> PlannedTenant? {
    do {
      return try StoredApp.plugins(of: tenant, dataDirectory: configuration.dataDirectory).map {
        choices in
        var planned = PlannedTenant(id: tenant, plugins: choices.map(\.plugin))
        for choice in choices { planned.versions[choice.plugin] = choice.version }
        planned.missing = choices.compactMap { choice in
          MissingPlugin(
            app: tenant, plugin: choice.plugin, version: choice.version, among: installed)
        }
        return planned
      }
    } catch {
      throw failure("the apps in \(configuration.dataDirectory) cannot be read: \(error)")
    }
  }
}
