import Glibc

/// A process that is started, waited for, and ended if it takes too long.
enum ChildProcess {
  enum End {
    case exited(Int32)
    /// The name of the signal that ended it.
    case killed(String)
    /// It was ended after so many seconds.
    case late(Int)
    case unavailable(String)
  }

  private static let patience = 10

  /// Runs a program with this process's output and environment. Blocking.
  ///
  /// - Parameter command: the program's path and its arguments.
  static func run(_ command: [String]) -> End {
    var arguments = command.map { strdup($0) as UnsafeMutablePointer<CChar>? }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    // A crash is to be told in one line; a backtrace of half a minute helps nobody here.
    setenv("SWIFT_BACKTRACE", "enable=no", 1)
    var process: pid_t = 0
    let code = posix_spawn(&process, command[0], nil, nil, arguments, environ)
    guard code == 0 else { return .unavailable(String(cString: strerror(code))) }
    let end = time(nil) + patience
    var status: Int32 = 0
    while true {
      let ended = waitpid(process, &status, WNOHANG)
      if ended == process { break }
      if ended < 0 && errno != EINTR { return .unavailable(String(cString: strerror(errno))) }
      if time(nil) > end {
        kill(process, SIGKILL)
        waitpid(process, &status, 0)
        return .late(patience)
      }
      usleep(2_000)
    }
    let signal = status & 0x7f
    guard signal == 0 else { return .killed(String(cString: strsignal(signal))) }
    return .exited(status >> 8 & 0xff)
  }
}
