import ArgumentParser
import PluginHost

struct Plan: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what runs for a tenant, in which order and why.")

  @Argument(
    help: "\"platform\", a tenant of the configuration, or \"app\" for what a new app begins with.")
  var tenant: String

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.read()
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    for problem in catalog.problems { say("\(problem)") }
    let tenants = configuration.plannedTenants(installed: catalog.plugins)
    guard let planned = tenants.first(where: { $0.id == tenant }) else {
      throw failure(
        "the configuration has no tenant \"\(tenant)\"; it has "
          + tenants.map(\.id).joined(separator: ", ")
          + ". Apps that were made while the gateway ran are not in it: ask the API that made them"
      )
    }
    do {
      let plan = try planned.plan(installed: catalog.plugins)
      print(plan.text(grants: configuration.plugins), terminator: "")
    } catch {
      throw failure(error.problems.map(\.description))
    }
  }
}
