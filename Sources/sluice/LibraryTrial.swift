import ArgumentParser
import PluginHost

/// Loads a plugin's library in a process of its own, so that one that crashes or hangs is told and harms nothing.
enum LibraryTrial {
  /// How the process ends when all is well: 0 would be said by a library that ends its process, too.
  static let success: Int32 = 93

  /// What is wrong with the library; empty when nothing is. Blocking.
  static func problems(of plugin: PluginManifest) -> [String] {
    let file = plugin.library
    let command = [ProgramFolder.program, "plugin", "validate", "--load", plugin.folder]
    let (end, said) = ChildProcess.run(command)
    switch end {
    case .exited(success): return []
    case .exited(ExitCode.failure.rawValue) where !said.isEmpty: return said
    case .exited(let code):
      return said + ["\(file): the library ends its process while it is loaded and asked (\(code))"]
    case .killed(let signal):
      return said + ["\(file): the library crashes while it is loaded and asked (\(signal))"]
    case .late(let seconds):
      return said + ["\(file): the library has not answered within \(seconds) s of being loaded"]
    case .unavailable(let reason):
      return ["\(file): no process can be had to load the library in: \(reason)"]
    }
  }

  /// What that process does; it never returns.
  static func run(_ plugin: PluginManifest) throws -> Never {
    do {
      try LibraryCheck.load(plugin)
    } catch {
      say("\(error)")
      throw ExitCode.failure
    }
    throw ExitCode(success)
  }
}
