internal import Glibc
internal import Synchronization

/// The claim of one process on its data directory: a lock that the kernel gives back when the process ends, however.
final class DataLock: Sendable {
  private let descriptor: Int32
  private let isHeld = Mutex(true)

  /// Makes the directory if need be and claims it.
  init(_ directory: String) throws(StartError) {
    func reason() -> String { String(cString: strerror(errno)) }
    if mkdir(directory, 0o700) != 0, errno != EEXIST {
      throw StartError("the data directory \(directory) cannot be made: \(reason())")
    }
    let path = directory + "/lock"
    // The claim is `self`'s when nothing can fail any more: until then its deinit must not touch the other gateway's.
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw StartError(
        "the data directory \(directory) cannot be used: \(path): \(reason()). "
          + "Give the user that runs the gateway the right to read and write it, or choose another with --data."
      )
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let isTaken = errno == EWOULDBLOCK
      let text =
        isTaken
        ? "another gateway is using it\(Self.owner(descriptor)); stop that one, or choose another with --data"
        : reason()
      close(descriptor)
      throw StartError("the data directory \(directory) cannot be used: \(text)")
    }
    // For people and scripts that want to signal the gateway of a folder. A full disk must not keep it from starting.
    let line = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, line, line.count, 0)
    self.descriptor = descriptor
  }

  /// The process that holds the lock, as it has written itself down.
  private static func owner(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    return Int32(text.prefix { $0 != "\n" }).map { " (process \($0))" } ?? ""
  }

  deinit { release() }

  /// Gives the claim back, as letting go of it does; the file stays, empty. Idempotent.
  func release() {
    isHeld.withLock { isHeld in
      guard isHeld else { return }
      isHeld = false
      _ = ftruncate(descriptor, 0)
      close(descriptor)
    }
  }
}
