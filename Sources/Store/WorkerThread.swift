import Glibc

/// An operating-system thread that runs one body and ends.
///
/// `@unchecked Sendable`: `handle` is written once, before anyone else has the object.
final class WorkerThread: @unchecked Sendable {
  private let handle: pthread_t

  private init(handle: pthread_t) { self.handle = handle }

  /// What the new thread is given.
  private final class Start: Sendable {
    let name: String
    let niceness: Int32
    let body: @Sendable () -> Void

    init(name: String, niceness: Int32, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.niceness = niceness
      self.body = body
    }
  }

  /// Starts a thread. `name` is shown by tools and cut to 15 bytes; `niceness` is added to its nice value, 0 to 19, where work
  /// may wait for others'.
  static func start(
    name: String, niceness: Int32 = 0, body: @escaping @Sendable () -> Void
  ) throws(StoreError) -> WorkerThread {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(
      Start(name: String(name.prefix(15)), niceness: niceness, body: body))
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        WorkerThread.nameCaller(start.name)
        // Of this thread alone, on Linux.
        if start.niceness != 0 { setpriority(Int32(PRIO_PROCESS.rawValue), 0, start.niceness) }
        start.body()
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      throw StoreError(.outOfMemory, "cannot start a thread: \(String(cString: strerror(code)))")
    }
    return WorkerThread(handle: thread)
  }

  /// Names the calling thread. glibc's function for it is not visible to Swift.
  private static func nameCaller(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = name.withCString { write(descriptor, $0, strlen($0)) }
    close(descriptor)
  }

  var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

  /// Waits for its end. Call this or `detach`, once.
  func join() { pthread_join(handle, nil) }

  /// Lets it end alone.
  func detach() { pthread_detach(handle) }
}
