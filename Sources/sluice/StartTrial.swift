import ArgumentParser
import PluginHost

/// Makes the tenants of the operator's files in a process of its own, over data that is thrown away: what plugins say of their
/// settings when they are created.
enum StartTrial {
  /// What is wrong with the settings. Blocking.
  ///
  /// - Parameter arguments: those that this process was called with, without the command's name.
  static func problems(_ arguments: [String]) -> [String] {
    let (end, said) = ChildProcess.run([ProgramFolder.program, "check", "--make"] + arguments)
    switch end {
    case .exited(LibraryTrial.success): return []
    case .exited(ExitCode.failure.rawValue) where !said.isEmpty: return said
    case .exited(let code):
      return said + ["a plugin ends the process in which tenants are made (\(code))"]
    case .killed(let signal):
      return said + ["a plugin crashes while tenants are made (\(signal))"]
    case .late(let seconds): return said + ["tenants are not made within \(seconds) s"]
    case .unavailable(let reason):
      return ["no process can be had to make tenants in: \(reason)"]
    }
  }

  /// What that process does; it never returns.
  static func run(_ configuration: SluiceConfiguration) throws -> Never {
    let problems = SettingsTrial.problems(of: configuration)
    for problem in problems { say(problem) }
    throw problems.isEmpty ? ExitCode(LibraryTrial.success) : ExitCode.failure
  }
}
