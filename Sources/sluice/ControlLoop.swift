import EventLoop
import Glibc
import PluginHost

/// The main thread while the gateway serves: it waits for signals.
enum ControlLoop {
  /// Where the gateway is between its start and its end. Confined to the main thread.
  private enum Stage {
    case serving, draining
  }

  /// Serves until a signal says otherwise, and returns when the gateway has stopped.
  ///
  /// - Throws: `SystemError` when the loop or the signals are not to be had; the server is still running then.
  static func run(
    _ server: Server,
    configuration: @escaping () -> Result<SluiceConfiguration, ConfigurationError>
  ) throws(SystemError) {
    let loop = try EventLoop(index: -1)
    var stage = Stage.serving
    let signals = try SignalSource(loop: loop, signals: [SIGTERM, SIGINT, SIGHUP, SIGUSR2]) {
      signal in
      switch (signal, stage) {
      case (SIGUSR2, _):
        say("SIGUSR2 does nothing here: no other gateway takes over; SIGTERM drains")
      case (SIGHUP, .serving):
        server.reload(configuration()) { report($0) }
      case (SIGHUP, .draining):
        say("draining; not reloaded")
      case (_, .serving):
        stage = .draining
        say("draining; a second signal stops at once")
        server.drain { loop.stop() }
      case (_, .draining):
        say("stopping at once")
        loop.stop()
      }
    }
    loop.run()
    withExtendedLifetime(signals) {}
    server.stop()
    say("stopped")
  }

  /// The log has it too, for who is not at the terminal. [any-thread]
  private static func report(_ outcome: Server.ReloadOutcome) {
    switch outcome {
    case .unchanged: say("reloaded: nothing has changed")
    case .changed(let changes, let waiting):
      for change in changes { say("reloaded: \(change)") }
      for pointer in waiting { say("not reloaded: \(pointer) takes a restart") }
      if changes.isEmpty { say("reloaded") }
    case .refused(let problems):
      for problem in problems { say("not reloaded: \(problem)") }
      say("not reloaded; what was serving goes on")
    }
  }
}
