import Glibc
import Testing

@testable import Store

/// The test program starts itself again as a process that writes until it is killed. This shows that
/// the order of commit and acknowledgement is right; it shows nothing of fsync, since the page cache
/// outlives the process.
@Suite struct `A killed process` {
  private static let variable = "STORE_CRASH_DIRECTORY"

  @Test(arguments: [20, 500]) func `loses nothing that it had acknowledged`(_ enough: Int)
    async throws
  {
    let directory = TemporaryDirectory()
    let child = try spawnWriter(in: directory.path)
    var waited = 0
    while acknowledged(in: directory.path).count < enough, waited < 30_000 {
      try await Task.sleep(for: .milliseconds(5))
      waited += 5
    }
    kill(child, SIGKILL)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    let ids = acknowledged(in: directory.path)
    #expect(ids.count >= enough, "the writer was too slow or has failed")
    try await withStore(in: directory) { store in
      #expect(try store.tenantsNeedingRecovery() == ["app"])
      #expect(try await store.open(tenant: "app").wasUnclean)
      let notes = Set(try await store.notes())
      #expect(ids.allSatisfy(notes.contains))
      let page = try await store.history(tenant: "app", channel: "room", limit: 1_000_000)
      // Batches committed and not yet acknowledged may be there, but each whole.
      #expect(Set(page.publications.map(\.id)) == notes)
      #expect(page.publications.compactMap(\.offset) == (1...page.topOffset).map { $0 })
    }
    unlink(directory.path + "/acknowledged")
  }

  /// What the other process runs; in ordinary runs there is nothing to do.
  @Test(.enabled(if: getenv(variable) != nil)) func `is this one until the kill`() async throws {
    guard let value = getenv(Self.variable) else { return }
    let path = String(cString: value)
    let parent = getppid()
    let log = open(path + "/acknowledged", O_CREAT | O_WRONLY | O_APPEND, 0o600)
    let store = try Store(directory: path)
    try await store.createNotes()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          // Few enough for one page of history, however late the kill comes on a busy machine.
          for number in 0..<2_000 {
            let id = "\(task)-\(number)"
            var batch = Batch.note(id)
            batch.events = Batch.event("room", id: id, size: 10_000_000).events
            guard (try? await store.submit(tenant: "app", batch: batch)) != nil else { return }
            _ = (id + "\n").withCString { write(log, $0, strlen($0)) }
          }
        }
      }
    }
    // Not a tidy end: the kill is what this process is for, however late it comes. Without a parent nobody would.
    while getppid() == parent { try await Task.sleep(for: .milliseconds(100)) }
    withExtendedLifetime(store) {}
  }

  private func acknowledged(in directory: String) -> [String] {
    let descriptor = open(directory + "/acknowledged", O_RDONLY)
    guard descriptor >= 0 else { return [] }
    defer { close(descriptor) }
    var status = stat()
    fstat(descriptor, &status)
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    // A last line that was cut short is not an acknowledgement.
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  private func spawnWriter(in directory: String) throws -> pid_t {
    let arguments = [
      CommandLine.arguments[0], "--filter", "is this one until the kill", "--testing-library",
      "swift-testing",
    ]
    var environment = ["\(Self.variable)=\(directory)"]
    for name in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"] {
      if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
    }
    let argumentPointers = arguments.map { strdup($0) } + [nil]
    let environmentPointers = environment.map { strdup($0) } + [nil]
    defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
    var child = pid_t()
    let code = posix_spawn(
      &child, "/proc/self/exe", &actions, nil, argumentPointers, environmentPointers)
    try #require(code == 0, "posix_spawn: \(String(cString: strerror(code)))")
    return child
  }
}
