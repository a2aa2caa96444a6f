import ArgumentParser
import PluginHost

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the gateway in the foreground.",
    discussion: """
      Without --config it listens on 127.0.0.1:8080, keeps its data in ./data and runs every plugin in the folder \
      "plugins" beside the program.

      SIGTERM or SIGINT drains: no new connections, those that are open finish; a second one stops at once. SIGHUP \
      reads the configuration and the plugin folders again and puts what has changed in force, or says what is wrong \
      and changes nothing.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.read()
    let server: Server
    do {
      server = try Server(configuration: configuration)
    } catch {
      throw failure("\(error)")
    }
    for warning in server.warnings { say("warning: \(warning)") }
    for address in server.addresses { say("listening on \(address)") }
    say("data in \(configuration.dataDirectory); stop with Ctrl-C or SIGTERM")
    if configuration.log.access == .stdout { say("one JSON line for each request follows") }
    do {
      try ControlLoop.run(server) { options.load() }
    } catch {
      server.stop()
      throw failure("signals cannot be watched: \(error)")
    }
  }
}
