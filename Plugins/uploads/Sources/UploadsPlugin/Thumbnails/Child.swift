internal import CSpawn
internal import Glibc

/// Another program, run to its end within bounds, with nothing of this process's: no open files, no environment. Worker threads only.
struct Child: Sendable {
  enum End: Equatable, Sendable {
    case exited(Int32)
    /// A signal ended it: its own fault, or a bound that it went over.
    case killed
    /// It took too long.
    case outOfTime
    case notStarted
  }

  /// Bounds that the kernel keeps.
  struct Bounds: Sendable {
    /// Of its own time on a processor, in seconds.
    var seconds = 10
    /// Of addresses, in KiB.
    var memory = 1 << 20
    /// Of a file that it writes, in bytes.
    var fileSize = 16 << 20
    /// Until it is killed, in seconds: its processor may be somebody else's for long.
    var patience = 25
  }

  /// The program's absolute path, and its arguments.
  let command: [String]
  let environment: [String]
  /// Where it runs.
  let folder: String
  var bounds = Bounds()

  func run() -> End {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor: Int32 in 0...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    posix_spawn_file_actions_addchdir_np(&actions, folder)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A process group of its own, so that all of it can be ended; and no signal blocked or ignored.
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    // Bounds are set by a shell, for posix_spawn knows none, and setting them from here would be too late. ulimit counts files in 512 bytes.
    // With setpriv (util-linux), where it can, it ends with this process, and writes nothing behind what is swept at the next start.
    let script = """
      ulimit -c 0; ulimit -t \(bounds.seconds); ulimit -v \(bounds.memory); \
      ulimit -f \(bounds.fileSize / 512); tie="setpriv --pdeathsig KILL"; $tie true 2>&1 || tie=; \
      exec $tie nice -n 10 "$@"
      """
    let words = ["/bin/sh", "-c", script, "sh"] + command
    var process: pid_t = 0
    let code = Child.withPointers(words) { words in
      Child.withPointers(environment) { environment in
        posix_spawn(&process, "/bin/sh", &actions, &attributes, words, environment)
      }
    }
    return code == 0 ? wait(for: process) : .notStarted
  }

  private func wait(for process: pid_t) -> End {
    let end = ContinuousClock.now + .seconds(bounds.patience)
    var status: Int32 = 0
    var isOutOfTime = false
    while true {
      let ended = waitpid(process, &status, isOutOfTime ? 0 : WNOHANG)
      if ended == process { break }
      if ended < 0 && errno != EINTR { return .notStarted }
      if ended == 0 {
        if ContinuousClock.now > end {
          isOutOfTime = true
          kill(-process, SIGKILL)
        } else {
          usleep(5_000)
        }
      }
    }
    if isOutOfTime { return .outOfTime }
    // WIFEXITED and WEXITSTATUS, which are macros.
    return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed
  }

  /// A list of C strings with NULL behind it.
  private static func withPointers<Result>(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }
}
