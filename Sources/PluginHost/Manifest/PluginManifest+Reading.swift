extension PluginManifest {
  /// The majors of the ABI that this gateway loads.
  public static let supportedABI = 1

  /// Reads `plugin.json` of a plugin's folder, with the event schemas and migrations that it names.
  ///
  /// Control thread only. The library is not looked at: that is the loader's.
  ///
  /// - Throws: everything that is wrong in the manifest and in the files that it names.
  public static func read(folder: String) throws(ConfigurationError) -> PluginManifest {
    let path = FilePath.resolve("plugin.json", in: folder)
    let problems = ConfigProblems(try ConfigReader.read(file: path))
    let manifest = ConfigNode(rootOf: problems).object { read(&$0, in: folder) }
    try problems.throwIfAny()
    guard let manifest else { throw ConfigurationError(problems.list) }
    return manifest
  }

  private static func read(
    _ reader: inout ObjectReader, in folder: String
  ) -> PluginManifest {
    let id = reader.string("id", .pluginID)
    var folderName = FilePath.name(of: folder)
    if folderName == "." || folderName == ".." {
      folderName = FilePath.name(of: FileSystem.realPath(of: folder))
    }
    let version = reader.string("version", .version)
    if Grammar.pluginID.accepts(id) && id != folderName && "\(id)@\(version)" != folderName {
      let other = folderName.contains("@") ? ", which would be \(id)@\(version)" : ""
      reader.optional("id")?.refuse(
        "is \"\(id)\", but the folder is called \"\(folderName)\"\(other)")
    }
    let manifest = PluginManifest(
      id: id,
      version: version,
      abi: readABI(reader.required("abi")),
      summary: reader.string("summary"),
      library: readLibrary(reader.required("library"), in: folder),
      runtime: reader.word("runtime"),
      isolation: readIsolation(reader.optional("isolation")),
      tenants: reader.word("tenants"),
      routes: reader.objects("routes", Route.init(reading:)),
      sockets: reader.objects("sockets", SocketRoute.init(reading:)),
      messages: reader.objects("messages", SocketMessage.init(reading:)),
      channels: reader.objects("channels", ChannelNamespace.init(reading:)),
      phases: reader.objects("phases", PhaseHandler.init(reading:)),
      provides: reader.objects("provides", ProvidedService.init(reading:)),
      requires: reader.objects("requires", RequiredService.init(reading:)),
      emits: reader.objects("emits") { EmittedEvent(reading: &$0, in: folder) },
      listens: reader.optional("listens")?.distinct(DottedPattern.init(reading:)) ?? [],
      capabilities: reader.optional("capabilities")?.distinct { $0.word() } ?? [],
      migrations: reader.optional("migrations").map { readMigrations($0, in: folder) } ?? [],
      limits: reader.optional("limits")?.object(PluginLimits.init(reading:)) ?? PluginLimits(),
      settings: reader.optional("config").map(Schema.init(settings:)) ?? .noSettings,
      folder: folder, source: reader.node.problems.source.text)
    // A part that was refused is a placeholder here, of which nothing true could be said.
    if reader.node.problems.isEmpty { manifest.checkTogether(reader.node.problems) }
    return manifest
  }

  private static func readABI(_ node: ConfigNode?) -> Int {
    guard let node else { return supportedABI }
    let major = node.integer(in: Int.min...Int.max)
    if case .integer = node.value, major != supportedABI {
      node.refuse(
        "the plugin was built for major \(major) of the ABI; this gateway loads major \(supportedABI)"
      )
    }
    return major
  }

  private static func readLibrary(_ node: ConfigNode?, in folder: String) -> String {
    guard let node else { return "" }
    let path = node.string()
    if !path.isEmpty && !FilePath.staysInside(path) {
      node.refuse("\"\(path)\" is not a path inside the plugin's folder")
    }
    return FilePath.resolve(path, in: folder)
  }

  private static func readIsolation(_ node: ConfigNode?) -> Isolation {
    let isolation: Isolation = node?.word() ?? .inProcess
    if isolation == .process { node?.refuse("\"process\" is not available in this version") }
    return isolation
  }

  private static func readMigrations(_ node: ConfigNode, in folder: String) -> [Migration] {
    let path = node.string()
    guard !path.isEmpty else { return [] }
    guard FilePath.staysInside(path) else {
      node.refuse("\"\(path)\" is not a path inside the plugin's folder")
      return []
    }
    return Migration.read(folder: FilePath.resolve(path, in: folder), for: node)
  }
}

extension Grammar {
  /// A version (Semantic Versioning 2.0.0 §2 and §9) without build metadata.
  static let version = Grammar(description: "a version such as 1.4.0 or 2.0.0-beta.1") { text in
    let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = halves[0].split(separator: ".", omittingEmptySubsequences: false)
    guard text.utf8.count <= 64, numbers.count == 3 else { return false }
    let areNumbers = numbers.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy(isDigit) && (part == "0" || part.first != "0")
    }
    guard areNumbers else { return false }
    guard halves.count == 2 else { return true }
    return halves[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == dash }
    }
  }
}
