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

  private static let patience = 20
  /// Of what it says so many bytes are kept.
  private static let hearing = 64 << 10

  /// Runs a program with this process's environment. Blocking.
  ///
  /// - Parameter command: the program's path and its arguments.
  /// - Returns: how it ended, and the lines that it has written to its standard error.
  static func run(_ command: [String]) -> (end: End, said: [String]) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      return (.unavailable(String(cString: strerror(errno))), [])
    }
    defer { for end in ends { close(end) } }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      // Who says more than there is room for loses it, and does not wait.
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    let end = run(command, standardError: ends[1])
    return (end, lines(from: ends[0]))
  }

  /// What there is in a pipe by now: a process that was left behind may keep it open.
  private static func lines(from pipe: Int32) -> [String] {
    var bytes = [UInt8](repeating: 0, count: hearing)
    let count = max(read(pipe, &bytes, bytes.count), 0)
    return bytes[..<count].split(separator: UInt8(ascii: "\n")).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private static func run(_ command: [String], standardError: Int32) -> End {
    var arguments = command.map { strdup($0) as UnsafeMutablePointer<CChar>? }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    // A crash is to be told in one line; a backtrace of half a minute helps nobody here.
    setenv("SWIFT_BACKTRACE", "enable=no", 1)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, standardError, 2)
    var process: pid_t = 0
    let code = posix_spawn(&process, command[0], &actions, nil, arguments, environ)
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
