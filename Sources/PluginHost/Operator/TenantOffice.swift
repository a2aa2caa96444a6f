internal import Glibc
internal import Store

/// What `sluice tenant` works with: the gateway that runs on a data folder, or else the folder itself, which no gateway
/// can begin to use meanwhile. [blocking, one thread]
public final class TenantOffice {
  private let directory: String
  private let isRunning: Bool
  private let stopped: Stopped?
  /// Why the platform's audit log has not been told of what was done last; nil when it has, or nobody keeps one.
  public private(set) var unnoted: String?

  /// A data folder that nobody runs on, opened.
  private struct Stopped {
    let lock: DataLock
    let store: Store
    let desk: OperatorDesk
  }

  /// Why nothing was done, in words.
  public struct Failure: Error, CustomStringConvertible {
    /// One problem a line, without the command's name.
    public let description: String
    init(_ description: String) { self.description = description }
  }

  /// Finds the gateway, or opens its data.
  public init(_ configuration: SluiceConfiguration, makesData: Bool = false) throws(Failure) {
    directory = configuration.dataDirectory
    let probe = Self.connect(to: directory)
    if probe >= 0 {
      // At once: the gateway serves one connection after another.
      close(probe)
      isRunning = true
      stopped = nil
      return
    }
    isRunning = false
    let isThere = access(directory + "/control.sqlite", F_OK) == 0
    guard isThere || makesData else {
      throw Failure(
        "there is no gateway's data in \(directory); --data or --config names another folder")
    }
    do throws(StartError) {
      let lock = try DataLock(directory)
      stopped = try Self.open(configuration, lock, isNew: !isThere)
    } catch {
      throw Failure(
        "\(error.description)\nNo gateway answers on \(directory)/\(LocalSocket.name).")
    }
  }

  deinit { stopped?.store.close() }

  private static func open(
    _ configuration: SluiceConfiguration, _ lock: DataLock, isNew: Bool
  ) throws(StartError) -> Stopped {
    let catalog = PluginCatalog.load(folders: configuration.plugins.folders)
    let installed = catalog.all
    TenantTransfer.prepare(configuration.dataDirectory)
    let store: Store
    do throws(StoreError) {
      store = try Store(directory: configuration.dataDirectory)
    } catch {
      throw StartError("\(error)")
    }
    do throws(TenantError) {
      let sealing = try SealingKey(
        file: configuration.keyFile, makesMissing: isNew && configuration.chosenKeyFile == nil)
      let answer = Answer<Result<TenantRegistry, TenantError>>()
      TenantRegistry.open(store: store, sealing: sealing) { answer.give($0) }
      let registry = try answer.wait().get()
      try registry.replaceStatic(
        with: HostSetup(configuration: configuration).staticTenants,
        platformHosts: configuration.platformHosts)
      let transfer = TenantTransfer(
        store: store, registry: registry, directory: configuration.dataDirectory,
        installed: installed, plans: configuration.plans(with: catalog.plugins))
      return Stopped(
        lock: lock, store: store,
        desk: OperatorDesk(
          transfer, listeners: configuration.noteListeners(installed: catalog.plugins)))
    } catch {
      store.close()
      throw StartError(error.message)
    }
  }

  // MARK: - what can be asked

  /// What there is to tell of each tenant, a JSON object each: its id, plan, host names and the plugins that are on.
  public func list() throws(Failure) -> [String] {
    try pages(of: "list") { $0["id"]?.text }.map(\.json)
  }

  /// All that the desk tells of tenants page by page.
  ///
  /// - Parameter id: of which tenant an element is.
  private func pages(
    of verb: String, id: (ConfigValue) -> String?
  ) throws(Failure) -> [ConfigValue] {
    var all: [ConfigValue] = []
    var request: ConfigValue = ["do": .string(verb)]
    while true {
      let page = try ask(request)["tenants"]?.elements ?? []
      guard let last = page.last.flatMap(id) else { return all }
      all += page
      request = ["do": .string(verb), "after": .string(last)]
    }
  }

  /// Writes an app with all that belongs to it into a new file.
  public func export(_ app: String, to file: String, sealKey: String?) throws(Failure) {
    try refuseExisting(file)
    var request: ConfigValue = ["do": "export", "tenant": .string(app)]
    if let sealKey { request = request.adding("seal_key", try key(sealKey, makesMissing: true)) }
    try fetch(try ask(request), to: file)
  }

  /// An app that was taken in.
  public struct Taken: Sendable {
    /// Its id.
    public var app: String
    /// Whether it took the place of another.
    public var replaced: Bool
    /// Versions of plugins that it had chosen, `id@version`, in whose place it has the standard ones.
    public var lostVersions: [String]
  }

  /// Takes an app in from a file.
  ///
  /// - Parameters:
  ///   - plan: the one that the app is to be on; nil is the one that it was on.
  ///   - standardVersions: whether it may have the standard version of a plugin in the place of a chosen one that is not
  ///     installed.
  public func take(
    _ file: String, replaces: Bool, sealKey: String?, plan: String? = nil,
    standardVersions: Bool = false
  ) throws(Failure) -> Taken {
    let name = TenantTransfer.newName()
    let staged = TenantTransfer.folder(in: directory) + "/" + name
    var request: ConfigValue = [
      "do": "import", "file": .string(name), "replace": .boolean(replaces),
      "standard_versions": .boolean(standardVersions),
    ]
    if let sealKey { request = request.adding("seal_key", try key(sealKey, makesMissing: false)) }
    if let plan { request = request.adding("plan", .string(plan)) }
    do throws(FileCopy.Failure) {
      try FileCopy.copy(file, to: staged, ownerOf: directory)
    } catch {
      throw Failure(error.description)
    }
    defer { unlink(staged) }
    let answer = try ask(request)
    return Taken(
      app: answer["tenant"]?.text ?? "", replaced: answer["replaced"] == .boolean(true),
      lostVersions: answer["lost_versions"]?.elements.compactMap(\.text) ?? [])
  }

  /// Removes an app and everything of it.
  public func delete(_ app: String) throws(Failure) {
    _ = try ask(["do": "delete", "tenant": .string(app)])
  }

  /// Puts an app on one of the operator's plans.
  public func setPlan(_ plan: String, of app: String) throws(Failure) {
    _ = try ask(["do": "plan", "tenant": .string(app), "plan": .string(plan)])
  }

  /// What a backup has taken.
  public struct Backup: Sendable {
    /// The tenants.
    public var tenants: [String] = []
    /// How many files of plugins.
    public var files = 0
    /// What lies among those and is neither file nor folder: it is not in the backup.
    public var leftOut: [String] = []
  }

  /// Copies the data of one tenant, or of all, with the files of their plugins, and of the gateway's own what belongs to them
  /// into a folder that a gateway can run on. What fails leaves nothing of the copy behind.
  public func backUp(_ tenant: String?, to folder: String) throws(Failure) -> Backup {
    var tenants: [String] = []
    if let tenant {
      tenants = [tenant]
    } else {
      tenants = try pages(of: "tenants", id: \.text).compactMap(\.text)
    }
    // The gateway's own last: whatever tenant stands in it has been copied or is as new as this.
    let files =
      tenants.map { ($0, "\(folder)/tenants/\($0).sqlite") }
      + [(Store.controlTenant, "\(folder)/control.sqlite")]
    for (_, path) in files { try refuseExisting(path) }
    for tenant in tenants { try refuseExisting("\(folder)/files/\(tenant)") }
    var made: [String] = []
    var backup = Backup(tenants: tenants)
    do throws(Failure) {
      for path in [folder, folder + "/tenants", folder + "/files"] {
        if mkdir(path, 0o700) == 0 {
          made.append(path)
        } else if errno != EEXIST {
          throw Failure("\(path): \(String(cString: strerror(errno)))")
        }
      }
      // Before the databases: what a file says of one, such as how far a log goes, must be true of the copy.
      for tenant in tenants { try copyFiles(of: tenant, to: folder, &backup) }
      for (name, path) in files {
        var request: ConfigValue = ["do": "backup", "tenant": .string(name)]
        if let tenant { request = request.adding("of", .string(tenant)) }
        try fetch(try ask(request), to: path)
      }
    } catch {
      // None of it was there before.
      for (_, path) in files { unlink(path) }
      for tenant in tenants { TenantFolders.remove(of: tenant, in: folder) }
      for path in made.reversed() { rmdir(path) }
      throw error
    }
    return backup
  }

  private func copyFiles(
    of tenant: String, to folder: String, _ backup: inout Backup
  ) throws(Failure) {
    do throws(FileCopy.Failure) {
      let tree = try FileCopy.copyTree(
        TenantFolders.path(of: tenant, in: directory),
        to: TenantFolders.path(of: tenant, in: folder))
      backup.files += tree.files
      backup.leftOut += tree.leftOut
    } catch {
      throw Failure(error.description)
    }
  }

  // MARK: - how

  private func refuseExisting(_ path: String) throws(Failure) {
    guard access(path, F_OK) != 0 else {
      throw Failure("\(path) is there already; nothing is overwritten")
    }
  }

  private func key(_ path: String, makesMissing: Bool) throws(Failure) -> ConfigValue {
    do throws(TenantError) {
      return .string(try SealingKey(file: path, makesMissing: makesMissing).hexadecimal)
    } catch {
      throw Failure(error.message)
    }
  }

  /// Fetches the file that an answer names.
  private func fetch(_ answer: ConfigValue, to path: String) throws(Failure) {
    let staged = TenantTransfer.folder(in: directory) + "/" + (answer["file"]?.text ?? "")
    defer { unlink(staged) }
    do throws(FileCopy.Failure) {
      try FileCopy.copy(staged, to: path, ownerOf: nil)
    } catch {
      throw Failure(error.description)
    }
  }

  private func ask(_ request: ConfigValue) throws(Failure) -> ConfigValue {
    let answer =
      if let stopped { stopped.desk.answer(request, for: .current) } else {
        try askRunning(request)
      }
    guard let problem = answer["error"] else {
      unnoted = answer["unnoted"]?.text
      return answer
    }
    throw Failure(problem["message"]?.text ?? "the gateway refuses and does not say why")
  }

  private func askRunning(_ request: ConfigValue) throws(Failure) -> ConfigValue {
    let socket = Self.connect(to: directory)
    guard socket >= 0 else { throw Failure("the gateway on \(directory) has ended meanwhile") }
    defer { close(socket) }
    guard LocalSocket.write(line: request.json, to: socket),
      let line = LocalSocket.readLine(from: socket),
      let answer = try? ConfigReader.read(text: line, name: "answer").root
    else {
      throw Failure(
        "the gateway on \(directory) gave no answer; its log says whether it has done what was asked"
      )
    }
    return answer
  }

  /// A connection to the gateway that runs on a data folder, or a negative number.
  private static func connect(to directory: String) -> Int32 {
    let socket = Glibc.socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return -1 }
    guard LocalSocket.withAddress(in: directory, { Glibc.connect(socket, $0, $1) }) == 0 else {
      close(socket)
      return -1
    }
    return socket
  }
}

extension ConfigValue {
  /// The object with one more member.
  func adding(_ key: String, _ value: ConfigValue) -> ConfigValue {
    .object(members + [Member(key, value)])
  }
}
