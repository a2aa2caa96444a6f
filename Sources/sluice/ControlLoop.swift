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
  static func run(_ server: Server) throws(SystemError) {
    let loop = try EventLoop(index: -1)
    var stage = Stage.serving
    let signals = try SignalSource(loop: loop, signals: [SIGTERM, SIGINT, SIGHUP]) { signal in
      switch (signal, stage) {
      case (SIGHUP, .serving):
        reload(server)
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

  /// The server has each line in its log already; what is said here is what became of it all.
  private static func reload(_ server: Server) {
    let remarks = server.reload()
    say(
      remarks.isEmpty
        ? "looked at the plugins again: nothing is wrong, nothing is new"
        : "looked at the plugins again: \(remarks.count) remarks in the log; what was serving goes on"
    )
  }
}
