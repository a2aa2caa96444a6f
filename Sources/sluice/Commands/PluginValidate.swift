import ArgumentParser
import PluginHost

struct PluginValidate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate", abstract: "Check a plugin's folder: its manifest and its library.",
    discussion: """
      Reads plugin.json with the schemas and migrations that it names, then the library's headers. Then a process of its \
      own loads the library and asks it for its table and handlers, so that one that crashes or hangs is told and harms \
      nothing. The plugin's code runs with your rights: with --no-load it does not.
      """)

  @Argument(help: ArgumentHelp("The plugin's folder, with plugin.json.", valueName: "folder"))
  var folder: String

  @Flag(name: .customLong("no-load"), help: "Read the library and do not load it.")
  var staysUnloaded = false

  /// How the process that loads the library is told what it is.
  @Flag(name: .customLong("load"), help: .hidden)
  var isLoader = false

  func run() throws {
    let plugin: PluginManifest
    do {
      plugin = try PluginManifest.read(folder: folder)
    } catch {
      throw failure(error.problems.map(\.description))
    }
    if isLoader { try LibraryTrial.run(plugin) }
    let image = try read(plugin.library)
    let surplus = image.surplusSymbols
    guard surplus.isEmpty else {
      throw failure(
        "\(plugin.library): exports \(surplus.count) symbols beside \(ELFImage.entrySymbol) "
          + "(\(surplus.prefix(3).joined(separator: ", "))\(surplus.count > 3 ? ", …" : "")); "
          + "link it with a version script that hides them")
    }
    let problems = staysUnloaded ? [] : LibraryTrial.problems(of: plugin)
    guard problems.isEmpty else { throw failure(problems) }
    print("\(plugin.identity): the manifest and the library are well formed")
    print("  routes \(plugin.routes.count), sockets \(plugin.sockets.count)")
    print("  capabilities \(plugin.capabilities.map(\.rawValue).joined(separator: " "))")
    print("  needs \(image.neededLibraries.joined(separator: " "))")
  }

  /// The library's headers, in good order.
  private func read(_ library: String) throws -> ELFImage {
    do {
      let image = try ELFImage(path: library)
      try image.check()
      return image
    } catch {
      throw failure("\(library): \(error)")
    }
  }
}
