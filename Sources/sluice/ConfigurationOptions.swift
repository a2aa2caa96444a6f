import ArgumentParser
import Glibc
import PluginHost

/// The options that say which configuration a command works on.
struct ConfigurationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The operator's configuration, a sluice.json.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Where to listen, in place of the configuration's listeners; may be repeated.",
      valueName: "host:port"))
  var listen: [String] = []

  @Option(
    help: ArgumentHelp("The folder for all data (default ./data).", valueName: "folder"))
  var data: String?

  @Option(help: ArgumentHelp("Event loops; 0 is one for each core.", valueName: "count"))
  var loops: Int?

  @Option(
    help: ArgumentHelp(
      "A folder of plugins, in place of the configuration's; may be repeated.", valueName: "folder"
    ))
  var plugins: [String] = []

  init() {}

  /// Those of a command that looks at a data folder alone.
  init(config: String?, data: String?, plugins: [String] = []) {
    self.config = config
    self.data = data
    self.plugins = plugins
    listen = []
    loops = nil
  }

  func validate() throws {
    if let loops, !(0...1024).contains(loops) {
      throw ValidationError("--loops must be from 0 to 1024")
    }
    for address in listen {
      do {
        _ = try ListenAddress(address)
      } catch {
        throw ValidationError("--listen: \(error)")
      }
    }
  }

  /// The configuration's file, else the default, with the options over it.
  ///
  /// - Throws: `ExitCode` after saying what is wrong in the files.
  func read() throws -> SluiceConfiguration {
    switch load() {
    case .success(let configuration): return configuration
    case .failure(let error): throw failure(error.problems.map(\.description))
    }
  }

  /// The same, or what is wrong in the files.
  func load() -> Result<SluiceConfiguration, ConfigurationError> {
    Result { () throws(ConfigurationError) in try merged() }
  }

  /// The same as far as it can be read, with what is wrong in the files: for checks alone.
  func loadAsFarAsPossible() -> (configuration: SluiceConfiguration, problems: [ConfigProblem]) {
    guard let config else { return (overridden(standard), []) }
    do throws(ConfigurationError) {
      let (read, problems) = try SluiceConfiguration.readAsFarAsPossible(file: config)
      return (overridden(read ?? nothing), problems)
    } catch {
      return (overridden(nothing), error.problems)
    }
  }

  private func merged() throws(ConfigurationError) -> SluiceConfiguration {
    guard let config else { return overridden(standard) }
    return overridden(try SluiceConfiguration.read(file: config))
  }

  /// What there is without a file.
  private var standard: SluiceConfiguration {
    .default(
      dataDirectory: "./data", listen: Self.addresses(["127.0.0.1:8080"]),
      pluginFolders: [ProgramFolder.path + "/plugins"])
  }

  /// What a file says that says nothing.
  private var nothing: SluiceConfiguration {
    .default(dataDirectory: "./data", listen: [], pluginFolders: [])
  }

  private func overridden(_ read: SluiceConfiguration) -> SluiceConfiguration {
    var configuration = read
    if !listen.isEmpty {
      configuration.listeners = Self.addresses(listen).map { ListenerSettings(address: $0) }
    }
    if let data { configuration.moveData(to: data) }
    if let loops { configuration.loops = loops }
    if !plugins.isEmpty { configuration.plugins.folders = plugins }
    return configuration
  }

  /// Addresses that `validate` has found to be right.
  private static func addresses(_ texts: [String]) -> [ListenAddress] {
    texts.compactMap { try? ListenAddress($0) }
  }
}

extension SluiceConfiguration {
  /// Puts the data elsewhere. An access log inside the data folder moves with it.
  mutating func moveData(to folder: String) {
    if case .file(let path) = log.access, path.hasPrefix(dataDirectory + "/") {
      log.access = .file(folder + path.dropFirst(dataDirectory.count))
    }
    dataDirectory = folder
  }
}

/// Where this program stands: what is shipped with it stands beside it.
enum ProgramFolder {
  /// The program's own path.
  static let program: String = {
    guard let resolved = realpath("/proc/self/exe", nil) else { return "/proc/self/exe" }
    defer { free(resolved) }
    return String(cString: resolved)
  }()

  static let path = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
}
