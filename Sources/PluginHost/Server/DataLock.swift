internal import Glibc

/// The claim of one process on its data directory: a lock that the kernel gives back when the process ends, however.
final class DataLock: Sendable {
  private let descriptor: Int32

  /// Makes the directory if need be and claims it.
  init(_ directory: String) throws(StartError) {
    func reason() -> String { String(cString: strerror(errno)) }
    if mkdir(directory, 0o700) != 0, errno != EEXIST {
      throw StartError("the data directory \(directory) cannot be made: \(reason())")
    }
    let path = directory + "/lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
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
        ? "another gateway is using it; stop that one, or choose another with --data" : reason()
      close(descriptor)
      throw StartError("the data directory \(directory) cannot be used: \(text)")
    }
  }

  func release() { close(descriptor) }
}
