import ArgumentParser
import PluginHost

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration, certificates and every plugin, without starting.",
    discussion: "Prints everything that is wrong, each with its file and place, and ends with 1.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.read()
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    var problems = catalog.problems.map(\.description)
    problems += configuration.check(installed: catalog.plugins).map(\.description)
    problems += configuration.checkCertificates().map(\.description)
    for plugin in catalog.plugins {
      do {
        try ELFImage(path: plugin.library).check()
      } catch {
        problems.append("\(plugin.library): \(error)")
      }
    }
    let tenants = configuration.plannedTenants(installed: catalog.plugins)
    for tenant in tenants {
      do {
        _ = try tenant.plan(installed: catalog.plugins)
      } catch {
        problems += error.problems.map { "tenant \(tenant.id): \($0)" }
      }
    }
    guard problems.isEmpty else { throw failure(problems) }
    print("\(catalog.plugins.count) plugins, \(tenants.count) tenants: nothing is wrong")
  }
}
