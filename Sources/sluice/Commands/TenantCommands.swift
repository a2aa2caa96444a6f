import ArgumentParser
import PluginHost

struct TenantCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant",
    abstract: "List, export, import, delete and back up apps, and say what plan they are on.",
    discussion: """
      All of these work beside a gateway that runs, through a socket in its data folder that its user and root can open, \
      and on the data of one that does not. They end with 0 when it is done, with 1 when it is refused or has failed, and then \
      nothing has changed; 64 is a wrong command line.
      """,
    subcommands: [
      TenantList.self, TenantExport.self, TenantImport.self, TenantDelete.self, TenantBackup.self,
      TenantChoosePlan.self,
    ])
}

/// Which gateway's tenants.
struct DataOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The gateway's configuration, a sluice.json.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The gateway's data folder (default ./data).", valueName: "folder"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "A folder of plugins, where no gateway runs; may be repeated.", valueName: "folder"))
  var plugins: [String] = []

  func office(makesData: Bool = false) throws -> TenantOffice {
    let options = ConfigurationOptions(config: config, data: data, plugins: plugins)
    do {
      return try TenantOffice(try options.read(), makesData: makesData)
    } catch let error as TenantOffice.Failure {
      throw failure("\(error)")
    }
  }
}

struct TenantList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print which apps there are.",
    discussion: """
      A JSON object a line, in the order of the ids: id, plan, host names and the plugins that are on. Whose an app is stands in \
      the platform's audit log: sluice audit list --action app.created.
      """)

  @OptionGroup var options: DataOptions

  func run() throws {
    let office = try options.office()
    for tenant in try reporting({ try office.list() }) { print(tenant) }
  }
}

private let sealKeyHelp: ArgumentHelp = ArgumentHelp(
  "A key file for secrets on their way to a gateway with another master key.", valueName: "file")

struct TenantExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write an app with all that belongs to it into one file.",
    discussion: """
      The file is a SQLite database: the app's own, as it is at one moment, and what the gateway keeps of the app: plugins and \
      settings, host names, digests of credentials, sealed secrets. The secrets stay sealed with this gateway's master key, so \
      only a gateway with the same key can import the file; with --seal-key they are sealed with the key in that file, which is \
      made if it is not there, and which the other gateway's import is given too. Keep both files as you keep the data.
      """)

  @Argument(help: "The app's id.")
  var app: String

  @Argument(help: "The file to write. It must not be there.")
  var file: String

  @Option(name: .customLong("seal-key"), help: sealKeyHelp)
  var sealKey: String?

  @OptionGroup var options: DataOptions

  func run() throws {
    let office = try options.office()
    try reporting { try office.export(app, to: file, sealKey: sealKey) }
    print("\(app) is in \(file)")
  }
}

struct TenantImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take an app in from an export.",
    discussion: """
      The file is checked whole before anything changes: it must not be damaged, its plugins must be installed, none of its \
      data written by a newer version that older ones must not use, its host names and credentials nobody else's, its secrets \
      sealed with a key that is at hand, its plan one of this gateway's. The app keeps its id and its credentials. It gets a new epoch, so clients that resume \
      a channel are told to begin anew.
      """)

  @Argument(help: "The file that `sluice tenant export` has written.")
  var file: String

  @Flag(help: "Put it in the place of the app of that id, whose data is lost.")
  var replace = false

  @Option(name: .customLong("seal-key"), help: sealKeyHelp)
  var sealKey: String?

  @Option(help: "The plan to put it on; without it the one that it was on.")
  var plan: String?

  @Flag(
    name: .customLong("standard-versions"),
    help:
      "Where the app has chosen a version of a plugin that is not installed here, give it the standard version."
  )
  var standardVersions = false

  @OptionGroup var options: DataOptions

  func run() throws {
    let office = try options.office(makesData: true)
    let taken = try reporting {
      try office.take(
        file, replaces: replace, sealKey: sealKey, plan: plan, standardVersions: standardVersions)
    }
    office.warn()
    for version in taken.lostVersions {
      say(
        "warning: \(version) is not installed here; \(taken.app) has the standard version in its place"
      )
    }
    print("\(taken.app) is \(taken.replaced ? "replaced" : "in service")")
  }
}

struct TenantDelete: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove an app and everything of it.",
    discussion: """
      Its credentials are refused and its sockets closed at once; its settings, secrets and file are gone when the command \
      ends, and its owner and members have it no more. There is no way back but an export or a backup, and what these bring back \
      has no owner: to put an app's data back, import with --replace and do not delete it.
      """)

  @Argument(help: "The app's id.")
  var app: String

  @OptionGroup var options: DataOptions

  func run() throws {
    let office = try options.office()
    try reporting { try office.delete(app) }
    office.warn()
    print("\(app) is deleted")
  }
}

struct TenantChoosePlan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Put an app on a plan.",
    discussion: """
      The plans are those of the configuration's "plans": of the gateway that runs, or else of the one that --config names. What the plan \
      allows is in force within a second of the command's end, or from the next start on.
      """)

  @Argument(help: "The app's id.")
  var app: String

  @Argument(help: "The plan's name.")
  var plan: String

  @OptionGroup var options: DataOptions

  func run() throws {
    let office = try options.office()
    try reporting { try office.setPlan(plan, of: app) }
    office.warn()
    print("\(app) is on the plan \(plan)")
  }
}

struct TenantBackup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the data of all tenants, or of one, into a folder.",
    discussion: """
      Each database is copied as it is at one moment, checked, and given a new epoch; before them the files that plugins keep. The \
      folder is laid out as a data folder: a gateway can run on it, and one app can be exported from it with --data. Of one \
      tenant alone the gateway's control.sqlite has what is that tenant's, and nothing of others. The master \
      key is not copied: without it the secrets cannot be opened. A backup that fails leaves nothing in the folder.
      """)

  @Argument(
    help: ArgumentHelp("[<tenant>] <folder>: the tenant, if it is to be one alone; the folder."))
  var arguments: [String]

  @OptionGroup var options: DataOptions

  func validate() throws {
    guard (1...2).contains(arguments.count) else {
      throw ValidationError("give a folder, or a tenant and a folder")
    }
  }

  func run() throws {
    let office = try options.office()
    let (tenant, folder) = (
      arguments.count == 2 ? arguments[0] : nil, arguments[arguments.count - 1]
    )
    let backup = try reporting { try office.backUp(tenant, to: folder) }
    for path in backup.leftOut {
      say("warning: \(path) is neither a file nor a folder, and not in the backup")
    }
    let tenants = backup.tenants.count == 1 ? "1 tenant" : "\(backup.tenants.count) tenants"
    let files = backup.files == 1 ? "1 file" : "\(backup.files) files"
    let own = tenant == nil ? "the gateway's control.sqlite" : "what control.sqlite has of it"
    print("\(tenants) with \(files) of plugins and \(own) are in \(folder); the master key is not")
  }
}

extension TenantOffice {
  /// Says what has been done without the audit log's being told.
  fileprivate func warn() {
    if let unnoted { say("warning: it is done, and the audit log does not say so: \(unnoted)") }
  }
}

/// Runs what may fail with a reason, and says it.
private func reporting<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch let error as TenantOffice.Failure {
    throw failure("\(error)")
  }
}
