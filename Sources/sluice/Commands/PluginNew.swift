import ArgumentParser

struct PluginNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a plugin that works, to begin from.")

  @Argument(help: "Its id: lower-case letters, digits and hyphens, beginning with a letter.")
  var name: String

  @Option(name: .customLong("lang"), help: "swift, c or rust.")
  var language: ScaffoldLanguage

  @Option(
    help: ArgumentHelp("Where to make the plugin's folder (default: here).", valueName: "folder"))
  var into = "."

  func validate() throws {
    let isValid =
      name.utf8.count <= 32 && name.first != "-" && !name.hasSuffix("-") && !name.contains("--")
      && name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
      } && !(name.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? true)
    guard isValid else {
      throw ValidationError(
        "\"\(name)\" is no plugin's id: 1 to 32 lower-case letters, digits and single hyphens, "
          + "beginning with a letter")
    }
  }

  func run() throws {
    let scaffold = Scaffold(id: name, language: language, root: SourceTree.root)
    let folder = into == "." ? name : "\(into)/\(name)"
    do {
      try scaffold.write(to: folder)
    } catch {
      throw failure("\(error)")
    }
    for file in scaffold.files { print("\(folder)/\(file.path)") }
    // As it was called, so that the lines can be pasted where it stands on no PATH.
    let program = CommandLine.arguments.first ?? "sluice"
    print(
      """

      Next:
        make -C \(folder)
        \(program) plugin validate \(folder)/build/\(name)
        \(program) serve --plugins \(folder)/build --listen 127.0.0.1:8081 --data \(folder)/data
      and in another terminal:
        curl http://127.0.0.1:8081/hello/\(name)
      """)
  }
}

extension ScaffoldLanguage: ExpressibleByArgument {}
