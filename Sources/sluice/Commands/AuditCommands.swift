import ArgumentParser
import PluginHost

struct AuditCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Look at logs whose rows are bound to each other by hashes.",
    subcommands: [AuditVerify.self, AuditList.self])
}

struct AuditVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Find out whether an audit log is what was written.",
    discussion: """
      Every row holds the hash of the row before it and a hash of itself; whoever changes or removes one breaks the chain there. \
      The command goes through all rows and names the first that does not hold. That rows were cut off at the end is seen by the \
      number and hash of the last one, which stand in a file of the data folder too; where there is none, as in a copy of the database \
      alone, the command says so. Whoever can write that file as well can write all anew: keep what the command prints for the last row \
      elsewhere, and give it as --expect the next time. What was begun and has no end was cut off, or is under way: it is named, and is no fault. It works beside a gateway that runs, and on the data of one that does not. It ends with 0 when all is whole, with 1 \
      when it is not or cannot be read.
      """)

  @Argument(help: "Whose logs: the platform's, or an app's.")
  var tenant = "platform"

  @Option(
    help: ArgumentHelp("A row that must be there, as it was printed.", valueName: "seq=hash"))
  var expect: String?

  @Option(help: ArgumentHelp("The gateway's configuration, a sluice.json.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The gateway's data folder (default ./data).", valueName: "folder"))
  var data: String?

  func validate() throws {
    guard expect == nil || link != nil else {
      throw ValidationError("--expect is a row's number, = and the 64 digits of its hash")
    }
  }

  private var link: HashChain.Link? { expect.flatMap { HashChain.Link($0) } }

  func run() throws {
    let directory = try ConfigurationOptions(config: config, data: data).read().dataDirectory
    let chains: [HashChain]?
    do {
      chains = try HashChain.verify(tenant: tenant, dataDirectory: directory, expecting: link)
    } catch {
      throw failure("\(error)")
    }
    guard let chains else { throw failure("there is no data of \(tenant) in \(directory)") }
    guard !chains.isEmpty else { throw failure("\(tenant) has no log of this kind") }
    for chain in chains {
      let end = chain.head.map { "; the last is \($0.seq)=\($0.hash)" } ?? ""
      print("\(chain.table): \(chain.rows) rows are whole\(end)")
      if chain.anchor == nil, link == nil {
        print(
          "\(chain.table): nothing says which row is the last, so rows may be missing behind it")
      }
    }
    for chain in chains {
      for (seq, what) in chain.unended {
        print("\(chain.table): row \(seq) has begun \(what), and no row says how it ended")
      }
    }
    let faults = chains.compactMap { chain in chain.fault.map { "\(chain.table): \($0)" } }
    guard faults.isEmpty else { throw failure(faults) }
  }
}

struct AuditList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print what stands in an audit log, the newest last.",
    discussion: """
      A JSON object a line. In the platform's log stand what was done to each app, those that are deleted too, and under the app \
      "platform" what was done to the platform itself; an app's members read of theirs by the control plane's routes. It \
      works beside a gateway that runs, and on the data of one that does not. Whether the rows are what was written \
      `sluice audit verify` says.
      """)

  @Argument(help: "Whose log: the platform's, or an app's.")
  var tenant = "platform"

  @Option(help: ArgumentHelp("What is about this app alone, or \"platform\".", valueName: "app"))
  var app: String?

  @Option(help: ArgumentHelp("This alone, such as app.deleted.", valueName: "action"))
  var action: String?

  @Option(
    help: ArgumentHelp("What this account, key or user of the system has done.", valueName: "actor")
  )
  var actor: String?

  @Option(help: ArgumentHelp("So many rows at most, the last ones.", valueName: "count"))
  var limit = 100

  @Option(help: ArgumentHelp("The gateway's configuration, a sluice.json.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The gateway's data folder (default ./data).", valueName: "folder"))
  var data: String?

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000")
    }
  }

  func run() throws {
    let directory = try ConfigurationOptions(config: config, data: data).read().dataDirectory
    let wanted = [("app_id", app), ("action", action), ("actor", actor)].compactMap {
      column, value in
      value.map { (column: column, value: $0) }
    }
    do {
      guard
        let tables = try HashChain.rows(
          of: tenant, dataDirectory: directory, where: wanted, limit: limit)
      else { throw failure("there is no data of \(tenant) in \(directory)") }
      guard !tables.isEmpty else { throw failure("\(tenant) has no log of this kind") }
      for row in tables.flatMap(\.rows) { print(row) }
    } catch let code as ExitCode {
      throw code
    } catch {
      throw failure("\(error)")
    }
  }
}
