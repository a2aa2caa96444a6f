import Glibc

/// A program that a test runs to its end.
///
/// Foundation's `Process` is not for tests that run beside hundreds of others: before it starts a program it lists this
/// process's descriptors, reads beyond the end of that list where there are many, and takes the test run down with it.
public struct Command {
  /// What the program wrote, and how it ended.
  public struct Outcome: Sendable {
    /// What it wrote to its standard output, errors too unless they were hidden.
    public let output: String
    /// Its exit status; 128 and the signal's number where a signal ended it, as shells tell it.
    public let status: Int32
  }

  /// A program that could not be started.
  public struct Failure: Error, CustomStringConvertible {
    public let description: String
  }

  /// The program's name, looked up in the PATH, or its path; and its arguments.
  public let words: [String]
  /// Where it runs; where this process does if nil.
  public let folder: String?
  /// What it reads from its standard input.
  public let input: String
  /// Whether its errors go nowhere.
  public let hidesErrors: Bool

  /// A program with its arguments, which ``run()`` starts.
  public init(
    _ words: [String], in folder: String? = nil, input: String = "", hidingErrors: Bool = false
  ) {
    self.words = words
    self.folder = folder
    self.input = input
    hidesErrors = hidingErrors
  }

  /// Runs it with this process's environment. Blocks until it has ended.
  ///
  /// - Returns: what it wrote; a status of 127 if a folder is given and there is no such program.
  /// - Throws: ``Failure`` if no folder is given and there is no such program, or no room for one more.
  public func run() throws -> Outcome {
    // Files, because a pipe that another test's program inherits does not end with this one.
    let given = try ScratchFile()
    let written = try ScratchFile()
    try given.write(input)
    let process = try spawn(reading: given.descriptor, writing: written.descriptor)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7f
    return Outcome(
      output: written.text(), status: signal == 0 ? status >> 8 & 0xff : 128 + signal)
  }

  private func spawn(reading input: Int32, writing output: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    if hidesErrors {
      posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    } else {
      posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
    }
    // The functions that change the folder of what is spawned are not among those that Swift sees.
    let command = folder.map { ["env", "-C", $0] + words } ?? words
    let arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let code = posix_spawnp(&process, command[0], &actions, nil, arguments, environ)
    guard code == 0 else {
      throw Failure(description: "\(command[0]) does not start: \(String(cString: strerror(code)))")
    }
    return process
  }
}

/// A file without a name, gone with its owner.
private final class ScratchFile {
  let descriptor: Int32

  init() throws {
    var path = Array("/tmp/command-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    guard descriptor >= 0 else {
      throw Command.Failure(description: "no scratch file: \(String(cString: strerror(errno)))")
    }
    unlink(path)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  /// Fills it, to be read from its beginning.
  func write(_ text: String) throws {
    let count = text.utf8.count
    let written = text.withCString { pwrite(descriptor, $0, count, 0) }
    guard written == count else { throw Command.Failure(description: "the input is not written") }
  }

  func text() -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = pread(descriptor, &piece, piece.count, off_t(bytes.count)), count > 0 {
      bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
