import ArgumentParser

/// The command: what an operator and a plugin's author type.
@main
struct Sluice: ParsableCommand {
  /// The gateway's version.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "sluice",
    abstract: "A real-time platform of plugins behind one gateway.",
    version: version,
    subcommands: [
      Serve.self, Check.self, Plan.self, PluginCommands.self, TenantCommands.self,
      AuditCommands.self, Version.self,
    ])
}

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version.")

  func run() { print("sluice \(Sluice.version)") }
}
