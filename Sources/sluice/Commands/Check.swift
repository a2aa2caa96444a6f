import ArgumentParser
import PluginHost

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration, certificates and every plugin, without starting.",
    discussion: """
      Prints everything that is wrong, each with its file and place, and ends with 1. Each plugin's library is loaded in a process of \
      its own and asked for its table and handlers, as serve does, so that one that crashes or hangs is told and harms nothing. So \
      are the tenants of the configuration made with their settings, over data that is thrown away. The plugins' code runs with your rights: with --no-load it does not, and only the libraries' headers are read.
      """)

  /// How many lines there may be of plugins that apps miss: all apps may miss the same.
  private static let missingPluginsShown = 20

  @Flag(name: .customLong("no-load"), help: "Read the libraries and do not load them.")
  var staysUnloaded = false

  /// How the process that makes the tenants is told what it is.
  @Flag(name: .customLong("make"), help: .hidden)
  var makesTenants = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let (configuration, faults) = options.loadAsFarAsPossible()
    if makesTenants { try StartTrial.run(configuration) }
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    var problems = (faults + catalog.problems).map(\.description)
    problems += configuration.checkCertificates().map(\.description)
    for plugin in catalog.all {
      do {
        try LibraryCheck.read(plugin)
        if !staysUnloaded { problems += LibraryTrial.problems(of: plugin) }
      } catch {
        problems.append("\(error)")
      }
    }
    // Which plugins there are must be known before anything can be said of what asks for one.
    if faults.allSatisfy(\.leavesPluginsKnown) {
      problems += configuration.check(installed: catalog.plugins).map(\.description)
      let tenants = configuration.plannedTenants(installed: catalog.plugins)
      for tenant in tenants {
        do {
          _ = try tenant.plan(catalog)
        } catch {
          problems += error.problems.map { "tenant \(tenant.id): \($0)" }
        }
      }
      problems += missingPlugins(configuration, catalog.all)
      for warning in configuration.warnings(installed: catalog.plugins) {
        say("warning: \(warning)")
      }
      if problems.isEmpty, !staysUnloaded {
        problems += StartTrial.problems(Array(CommandLine.arguments.dropFirst(2)))
      }
      if problems.isEmpty { warnOfStrayPlans(configuration, catalog.plugins) }
      if problems.isEmpty {
        print("\(catalog.plugins.count) plugins, \(tenants.count) tenants: nothing is wrong")
      }
    }
    guard problems.isEmpty else { throw failure(problems) }
  }

  /// What apps in the data folder have switched on and is not installed, as far as the folder is there and may be read.
  private func missingPlugins(
    _ configuration: SluiceConfiguration, _ installed: [PluginManifest]
  ) -> [String] {
    do {
      let missing = try configuration.missingPlugins(installed: installed)
      let more = missing.count - Self.missingPluginsShown
      return missing.prefix(Self.missingPluginsShown).map(\.description)
        + (more > 0 ? ["and \(more) more that apps have switched on and is not installed"] : [])
    } catch {
      say(
        "warning: the apps in \(configuration.dataDirectory) cannot be read, so nobody knows whether their plugins are installed: \(error)"
      )
      return []
    }
  }

  /// Of plans that apps are on in the data folder, as far as it is there and may be read.
  private func warnOfStrayPlans(
    _ configuration: SluiceConfiguration, _ installed: [PluginManifest]
  ) {
    do {
      for warning in try configuration.strayPlans(installed: installed) {
        say("warning: \(warning)")
      }
    } catch {
      say(
        "warning: the apps in \(configuration.dataDirectory) cannot be read, so nobody knows whether their plans are among \"plans\": \(error)"
      )
    }
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
