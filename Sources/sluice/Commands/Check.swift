import ArgumentParser
import PluginHost

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration, certificates and every plugin, without starting.",
    discussion: "Prints everything that is wrong, each with its file and place, and ends with 1.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let (configuration, faults) = options.loadAsFarAsPossible()
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    var problems = (faults + catalog.problems).map(\.description)
    problems += configuration.checkCertificates().map(\.description)
    for plugin in catalog.plugins + catalog.beside {
      do {
        try ELFImage(path: plugin.library).check()
      } catch {
        problems.append("\(plugin.library): \(error)")
      }
    }
    // Which plugins there are must be known before anything can be said of what asks for one.
    if faults.allSatisfy(\.leavesPluginsKnown) {
      problems += configuration.check(installed: catalog.plugins).map(\.description)
      let tenants = configuration.plannedTenants(installed: catalog.plugins)
      for tenant in tenants {
        do {
          _ = try tenant.plan(installed: catalog.plugins)
        } catch {
          problems += error.problems.map { "tenant \(tenant.id): \($0)" }
        }
      }
      for warning in configuration.warnings(installed: catalog.plugins) {
        say("warning: \(warning)")
      }
      if problems.isEmpty {
        print("\(catalog.plugins.count) plugins, \(tenants.count) tenants: nothing is wrong")
      }
    }
    guard problems.isEmpty else { throw failure(problems) }
  }
}

extension ConfigProblem {
  /// Whether the plugins that the file names can be trusted all the same: it could be read, and what is wrong is neither
  /// among them nor a key that may have been meant for them.
  fileprivate var leavesPluginsKnown: Bool {
    let path = pointer.split(separator: "/")
    return !path.isEmpty && path[0] != "plugins"
      && (path.count > 1 || !message.hasPrefix("unknown key"))
  }
}
